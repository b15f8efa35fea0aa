//! The record as a whole: opening, crashes, rotation, threads, failing disks.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::segment::path_of;
use super::*;

mod tamper;

/// A segment of this size holds its header and three events of [`event`].
pub(super) const SMALL: u64 = 1200;

/// What a case does to its subject.
pub(super) type Change<T> = fn(&T);

/// A folder of its own for one test, removed afterwards.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("claviger-audit-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a new folder");
        Self(path)
    }

    pub(super) fn open(&self, segment_bytes: u64) -> Audit {
        Audit::open(Settings { segment_bytes, ..Settings::new(&self.0) }).expect("opens")
    }

    pub(super) fn verify(&self) -> Result<Summary, VerifyError> {
        verify(&self.0, &mut |_| {})
    }

    pub(super) fn read(&self, segment: u64) -> String {
        fs::read_to_string(path_of(&self.0, segment)).expect("a segment")
    }

    pub(super) fn write(&self, segment: u64, text: &str) {
        fs::write(path_of(&self.0, segment), text).expect("written");
    }

    /// A record of four segments with a header and three events each: lines 1 to 16.
    pub(super) fn filled() -> Self {
        let folder = Self::new();
        record(&folder.open(SMALL), 0..12);
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn event(request_id: &str) -> Event<'_> {
    Event {
        time: jiff::Timestamp::from_microsecond(1_795_300_201_000_042).expect("in range"),
        request_id,
        dialect: "tencent",
        action: "Encrypt",
        account: Some(7),
        user: None,
        access_key: Some("AKID1"),
        source: [192, 0, 2, 1].into(),
        resource: None,
        outcome: "ok",
    }
}

fn record(audit: &Audit, ids: std::ops::Range<u32>) {
    for id in ids {
        let ticket = audit.append(&event(&id.to_string())).expect("appended");
        audit.flush(ticket).expect("flushed");
    }
}

fn append_raw(path: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().append(true).open(path).expect("opens");
    file.write_all(bytes).expect("written");
}

#[test]
fn continues_after_a_restart_and_rotates() {
    let folder = Folder::filled();
    let summary = folder.verify().expect("whole");
    assert_eq!((summary.segments, summary.lines), (4, 16));
    assert_eq!((summary.starts_at_segment, summary.starts_at_seq, summary.head_seq), (1, 1, 16));

    let audit = folder.open(SMALL);
    assert_eq!(audit.head().expect("a head"), Head { seq: 16, hash: summary.head_hash });
    record(&audit, 12..13);
    let head = audit.head().expect("a head");
    drop(audit);
    let summary = folder.verify().expect("whole");
    assert_eq!((summary.segments, summary.lines, summary.head_seq), (5, 18, 18));
    assert_eq!(head, Head { seq: 18, hash: summary.head_hash });
    assert!(folder.read(5).starts_with(r#"{"v":1,"seq":17,"event":"segment","segment":5,"prev":""#));
}

#[test]
fn folder_and_files_are_private_and_in_one_hand() {
    let parent = Folder::new();
    let path = parent.0.join("a/b");
    let audit = Audit::open(Settings::new(&path)).expect("opens");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&path_of(&path, 1))), (0o700, 0o600));
    assert!(matches!(Audit::open(Settings::new(&path)), Err(AuditError::InUse { .. })));
    drop(audit);
    Audit::open(Settings::new(&path)).expect("free again");
}

#[test]
fn an_append_is_on_disk_only_after_the_flush() {
    let folder = Folder::new();
    let audit = folder.open(u64::MAX);
    let first = audit.append(&event("first")).expect("appended");
    let second = audit.append(&event("second")).expect("appended");
    assert!(first < second && audit.unwritten_bytes().expect("a count") > 0);
    assert_eq!(folder.read(1).lines().count(), 1);
    audit.flush(first).expect("flushed");
    assert_eq!(folder.read(1).lines().count(), 3, "one write for all that queued");
    assert_eq!(audit.unwritten_bytes().expect("a count"), 0);
    audit.flush(second).expect("already there");
    let _unflushed = audit.append(&event("third")).expect("appended");
    drop(audit);
    assert_eq!(folder.read(1).lines().count(), 4, "closing writes the rest");
}

#[test]
fn a_crash_in_the_middle_of_a_line_is_cut_and_recorded() {
    let whole = Folder::filled().read(4);
    let header_len = whole.lines().next().expect("a header").len();
    let last_start = whole.trim_end().rfind('\n').expect("lines") + 1;
    // Cut at, lines left whole in the segment, is a cut to be recorded.
    let cases = [
        (0, 0, false),
        (1, 0, true),
        (header_len, 0, true),
        (header_len + 1, 1, false),
        (last_start, 3, false),
        (last_start + 1, 3, true),
        (whole.len() - 1, 3, true),
    ];
    for (cut, left, recorded) in cases {
        let folder = Folder::filled();
        folder.write(4, &whole[..cut]);
        record(&folder.open(u64::MAX), 12..13);
        let added = u64::from(left == 0) + u64::from(recorded) + 1;
        let summary = folder.verify().expect("whole");
        assert_eq!(summary.head_seq, 12 + left + added, "cut at {cut}");
        let cut_bytes = cut - whole[..cut].rfind('\n').map_or(0, |feed| feed + 1);
        let text = folder.read(4);
        let found = text.contains(&format!(r#","event":"recovered","cut_bytes":{cut_bytes},"prev":""#));
        assert_eq!(found, recorded, "cut at {cut}: {text}");
    }
}

#[test]
fn a_crash_before_the_very_first_line() {
    for (left, lines) in [("", 1), (r#"{"v":1,"se"#, 2)] {
        let folder = Folder::new();
        folder.write(1, left);
        drop(folder.open(SMALL));
        assert_eq!(folder.verify().expect("whole").head_seq, lines, "{left}");
    }
}

#[test]
fn a_power_cut_may_leave_zeros() {
    let folder = Folder::filled();
    append_raw(&path_of(&folder.0, 4), &vec![0; 200_000]);
    drop(folder.open(SMALL));
    assert!(folder.read(4).contains(r#""event":"recovered","cut_bytes":200000,"#));
    assert_eq!(folder.verify().expect("whole").head_seq, 17);
}

#[test]
fn a_damaged_end_is_refused_and_left_alone() {
    let cases: [(&str, Change<Folder>, Why); 4] = [
        ("edited", |f| f.write(4, &f.read(4).replace("\"ok\"", "\"no\"")), Why::Edited),
        ("garbage", |f| append_raw(&path_of(&f.0, 4), b"garbage\n"), Why::Malformed),
        (
            "the one before unfinished",
            |f| {
                f.write(4, "");
                f.write(3, f.read(3).trim_end());
            },
            Why::Unfinished,
        ),
        (
            "the one before gone",
            |f| {
                f.write(4, "");
                fs::remove_file(path_of(&f.0, 3)).expect("removed");
            },
            Why::SegmentMissing,
        ),
    ];
    for (name, damage, expected) in cases {
        let folder = Folder::filled();
        damage(&folder);
        let before = folder.read(4);
        match Audit::open(Settings::new(&folder.0)) {
            Err(AuditError::Damaged { why, .. }) => assert_eq!(why, expected, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(folder.read(4), before, "{name}");
    }
}

#[test]
fn many_threads_keep_one_chain() {
    const THREADS: u32 = 8;
    const EACH: u32 = 300;
    let folder = Folder::new();
    let audit = folder.open(20_000);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let audit = &audit;
            scope.spawn(move || {
                for id in 0..EACH {
                    let ticket = audit.append(&event(&format!("{thread}-{id}"))).expect("appended");
                    audit.flush(ticket).expect("flushed");
                    assert!(audit.is_written(ticket));
                    if id % 100 == 0 {
                        audit.sync().expect("synced");
                    }
                }
            });
        }
        // A reader at the same time sees whole lines only.
        for _ in 0..20 {
            verify(&folder.0, &mut |_| {}).expect("whole while being written");
        }
    });
    drop(audit);
    let summary = folder.verify().expect("whole");
    assert_eq!(summary.lines - summary.segments, u64::from(THREADS * EACH));
    let lines = tail(&folder.0, usize::MAX).expect("lines");
    for thread in 0..THREADS {
        let own = format!("\"request_id\":\"{thread}-");
        let ids: Vec<&str> =
            lines.iter().filter_map(|line| line.split_once(&own)).map(|(_, id)| id).collect();
        let numbers = ids.iter().filter_map(|id| id.split('"').next()?.parse::<u32>().ok());
        assert!(numbers.eq(0..EACH), "thread {thread} finds its lines in its own order");
    }
}

/// Makes writes fail by giving the writer a handle that may only read; answers with the good one.
fn fail_writes(folder: &Folder, audit: &Audit, segment: u64) -> Arc<File> {
    let read_only = File::open(path_of(&folder.0, segment)).expect("opens");
    let mut writer = audit.writer.lock().expect("not poisoned");
    std::mem::replace(&mut writer.file, Arc::new(read_only))
}

#[test]
fn a_failed_write_keeps_its_lines_for_the_next() {
    let folder = Folder::new();
    let audit = folder.open(u64::MAX);
    record(&audit, 0..2);
    let good = fail_writes(&folder, &audit, 1);
    let ticket = audit.append(&event("a")).expect("appended");
    assert!(matches!(audit.flush(ticket), Err(AuditError::Io { .. })));
    assert!(matches!(audit.sync(), Err(AuditError::Io { .. })));
    // The piece of a line that a full disk leaves behind.
    append_raw(&path_of(&folder.0, 1), br#"{"v":1,"seq":4,"time":"20"#);
    let later = audit.append(&event("b")).expect("still appends");
    assert!(matches!(audit.flush(later), Err(AuditError::Io { .. })));
    audit.writer.lock().expect("not poisoned").file = good;
    audit.flush(later).expect("both written");
    assert!(audit.is_written(ticket));
    drop(audit);
    assert_eq!(folder.verify().expect("whole").head_seq, 5);
}

#[test]
fn a_full_disk_is_an_error_not_a_loss() {
    let folder = Folder::new();
    let audit = folder.open(u64::MAX);
    let full = OpenOptions::new().append(true).open("/dev/full").expect("opens");
    let good = std::mem::replace(&mut audit.writer.lock().expect("not poisoned").file, Arc::new(full));
    let ticket = audit.append(&event("a")).expect("appended");
    match audit.flush(ticket) {
        Err(AuditError::Io { source, .. }) => assert_eq!(source.kind(), io::ErrorKind::StorageFull),
        other => panic!("{other:?}"),
    }
    audit.writer.lock().expect("not poisoned").file = good;
    audit.flush(ticket).expect("written");
    assert_eq!(folder.verify().expect("whole").head_seq, 2);
}

#[test]
fn a_segment_that_cannot_be_made_is_tried_again() {
    let folder = Folder::new();
    let audit = folder.open(SMALL);
    record(&audit, 0..3);
    let in_the_way = path_of(&folder.0, 2);
    fs::create_dir(&in_the_way).expect("made");
    let ticket = audit.append(&event("a")).expect("appended");
    assert!(matches!(audit.flush(ticket), Err(AuditError::Io { path, .. }) if path == in_the_way));
    fs::remove_dir(&in_the_way).expect("removed");
    fs::write(&in_the_way, "not ours").expect("written");
    assert!(matches!(audit.flush(ticket), Err(AuditError::Io { path, .. }) if path == in_the_way));
    fs::remove_file(&in_the_way).expect("removed");
    audit.flush(ticket).expect("written");
    drop(audit);
    assert_eq!(folder.verify().expect("whole").segments, 2);
}

#[test]
fn a_full_queue_refuses() {
    let folder = Folder::new();
    let audit = folder.open(1 << 20);
    let good = fail_writes(&folder, &audit, 1);
    let (mut appended, mut last) = (0, None);
    loop {
        match audit.append(&event("a")) {
            Ok(ticket) => (appended, last) = (appended + 1, Some(ticket)),
            Err(AuditError::Full) => break,
            Err(error) => panic!("{error}"),
        }
    }
    let unwritten = audit.unwritten_bytes().expect("a count");
    assert!((QUEUE_LIMIT_BYTES..QUEUE_LIMIT_BYTES + 2000).contains(&unwritten), "{unwritten}");
    let last = last.expect("some fit");
    assert!(audit.flush(last).is_err());
    assert!(matches!(audit.append(&event("b")), Err(AuditError::Full)), "a failed write frees nothing");
    audit.writer.lock().expect("not poisoned").file = good;
    audit.flush(last).expect("written");
    record(&audit, 0..1);
    drop(audit);
    let summary = folder.verify().expect("whole");
    assert_eq!(summary.lines - summary.segments, appended + 1);
    assert!(summary.segments >= 8);
}

#[test]
fn a_segment_touched_by_someone_else_breaks_the_record() {
    let cases: [(&str, Change<Path>); 4] = [
        ("folder removed", |path| fs::remove_dir_all(path.parent().expect("one")).expect("removed")),
        ("removed", |path| fs::remove_file(path).expect("removed")),
        ("replaced", |path| {
            let text = fs::read(path).expect("read");
            fs::remove_file(path).expect("removed");
            fs::write(path, text).expect("written");
        }),
        ("longer", |path| append_raw(path, b"x")),
    ];
    for (name, touch) in cases {
        let folder = Folder::new();
        let audit = folder.open(u64::MAX);
        record(&audit, 0..1);
        touch(&path_of(&folder.0, 1));
        assert!(matches!(audit.sync(), Err(AuditError::Broken { .. })), "{name}");
        assert!(matches!(audit.append(&event("a")), Err(AuditError::Broken { .. })), "{name}");
    }
}
