//! Every way to tamper with a record, and the line that [`verify`] names for it.

use std::fs;

use super::*;
use crate::audit::chain::LINE_LIMIT_BYTES;

type Lines = Vec<String>;
/// What is done to [`Folder::filled`], and the segment, line and reason that must be named.
type Case = (&'static str, Change<Folder>, u64, u64, Why);

fn edit(folder: &Folder, segment: u64, change: fn(&mut Lines)) {
    let mut lines = folder.read(segment).lines().map(str::to_owned).collect();
    change(&mut lines);
    folder.write(segment, &lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>());
}

/// Gives a line a fresh hash, as a forger who knows the format would.
fn forge(line: &str) -> String {
    let (front, _) = line.split_once(",\"hash\":").expect("a hash");
    format!("{front},\"hash\":\"{}\"}}", &*claviger_crypto::sha256_hex(front.as_bytes()))
}

fn take_hash_of_line_1(lines: &mut Lines) {
    let hash = lines[0][lines[0].len() - 66..].to_owned();
    let kept = lines[1].len() - 66;
    lines[1].replace_range(kept.., &hash);
}

fn upper_case_hash(lines: &mut Lines) {
    let kept = lines[1].len() - 66;
    lines[1][kept..].make_ascii_uppercase();
}

/// With the sequence number and `prev` of the line it pushes aside, so that it fits the one before.
fn push_in_line_3(lines: &mut Lines) {
    lines.insert(2, forge(&lines[2].replace("\"ok\"", "\"no\"")));
}

fn path(folder: &Folder, segment: u64) -> PathBuf {
    path_of(&folder.0, segment)
}

fn remove(folder: &Folder, segment: u64) {
    fs::remove_file(path(folder, segment)).expect("removed");
}

fn check(cases: &[Case]) {
    for (name, tamper, segment, line, why) in cases {
        let folder = Folder::filled();
        tamper(&folder);
        match folder.verify() {
            Err(VerifyError::Broken { file, line: at, why: found }) => {
                assert_eq!((file, at, found), (path(&folder, *segment), *line, *why), "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn edited_lines_are_named() {
    check(&[
        ("text", |f| edit(f, 2, |l| l[1] = l[1].replace("\"ok\"", "\"no\"")), 2, 2, Why::Edited),
        ("own hash", |f| edit(f, 2, take_hash_of_line_1), 2, 2, Why::Edited),
        (
            "prev",
            |f| edit(f, 2, |l| l[1] = l[1].replace("\"prev\":\"", "\"prev\":\"0")),
            2,
            2,
            Why::Malformed,
        ),
        (
            "prev of another line",
            |f| edit(f, 2, |l| l[2] = forge(&l[1]).replace("\"seq\":6", "\"seq\":7")),
            2,
            3,
            Why::Edited,
        ),
        ("upper-case hash", |f| edit(f, 2, upper_case_hash), 2, 2, Why::Edited),
        (
            "with a fresh hash",
            |f| edit(f, 2, |l| l[1] = forge(&l[1].replace("\"ok\"", "\"no\""))),
            2,
            3,
            Why::Unlinked,
        ),
        (
            "end of a segment with a fresh hash",
            |f| edit(f, 2, |l| l[3] = forge(&l[3].replace("\"ok\"", "\"no\""))),
            3,
            1,
            Why::Unlinked,
        ),
        (
            "genesis prev",
            |f| edit(f, 1, |l| l[0] = forge(&l[0].replace("0000", "1111"))),
            1,
            1,
            Why::Unlinked,
        ),
        (
            "genesis seq",
            |f| edit(f, 1, |l| l[0] = forge(&l[0].replace("\"seq\":1", "\"seq\":2"))),
            1,
            1,
            Why::Sequence { expected: 1, found: 2 },
        ),
        (
            "version",
            |f| edit(f, 2, |l| l[1] = forge(&l[1].replace("{\"v\":1", "{\"v\":2"))),
            2,
            2,
            Why::Version,
        ),
        (
            "sequence number past all",
            |f| edit(f, 2, |l| l[1] = forge(&l[1].replace("\"seq\":6", "\"seq\":99999999999999999999"))),
            2,
            2,
            Why::Malformed,
        ),
        ("spaces", |f| edit(f, 2, |l| l[1] = l[1].replace("\"v\":1", "\"v\": 1")), 2, 2, Why::Version),
        ("CRLF", |f| edit(f, 2, |l| l[1].push('\r')), 2, 2, Why::Malformed),
    ]);
}

#[test]
fn removed_inserted_and_moved_lines_are_named() {
    let gap = |expected, found| Why::Sequence { expected, found };
    check(&[
        ("removed", |f| edit(f, 2, |l| drop(l.remove(2))), 2, 3, gap(7, 8)),
        ("last of a segment removed", |f| edit(f, 2, |l| drop(l.pop())), 3, 1, gap(8, 9)),
        ("header removed", |f| edit(f, 2, |l| drop(l.remove(0))), 2, 1, Why::Header { segment: 2 }),
        ("oldest header removed", |f| edit(f, 1, |l| drop(l.remove(0))), 1, 1, Why::Header { segment: 1 }),
        ("doubled", |f| edit(f, 2, |l| l.insert(2, l[1].clone())), 2, 3, gap(7, 6)),
        ("forged in between", |f| edit(f, 2, push_in_line_3), 2, 4, gap(8, 7)),
        ("blank line", |f| edit(f, 2, |l| l.insert(1, String::new())), 2, 2, Why::Malformed),
        ("garbage", |f| edit(f, 2, |l| l.insert(1, "{\"v\":1,\"seq\":6}".to_owned())), 2, 2, Why::Malformed),
        ("zeros", |f| edit(f, 2, |l| l.insert(1, "\0".repeat(100))), 2, 2, Why::Malformed),
        ("endless line", |f| edit(f, 2, |l| l.insert(1, "x".repeat(LINE_LIMIT_BYTES + 1))), 2, 2, Why::Long),
        ("swapped", |f| edit(f, 2, |l| l.swap(1, 2)), 2, 2, gap(6, 7)),
        ("at the very end", |f| edit(f, 4, |l| l.push(l[1].clone())), 4, 5, gap(17, 14)),
    ]);
}

#[test]
fn shortened_lines_are_named() {
    check(&[
        ("in the middle", |f| edit(f, 2, |l| l[1].truncate(100)), 2, 2, Why::Malformed),
        ("with its line feed", |f| f.write(2, &f.read(2).replacen("\"}\n", "", 1)), 2, 1, Why::Edited),
        ("newest line", |f| f.write(4, f.read(4).trim_end_matches("\"}\n")), 4, 4, Why::Unfinished),
        ("newest line feed", |f| f.write(4, f.read(4).trim_end()), 4, 4, Why::Unfinished),
        ("last of a segment", |f| f.write(2, f.read(2).trim_end()), 2, 4, Why::Unfinished),
    ]);
}

#[test]
fn tampered_segments_are_named() {
    check(&[
        ("missing", |f| remove(f, 2), 2, 1, Why::SegmentMissing),
        ("two missing", |f| [2, 3].into_iter().for_each(|s| remove(f, s)), 2, 1, Why::SegmentMissing),
        ("emptied", |f| f.write(2, ""), 2, 1, Why::Header { segment: 2 }),
        (
            "swapped",
            |f| {
                let (two, three) = (f.read(2), f.read(3));
                f.write(2, &three);
                f.write(3, &two);
            },
            2,
            1,
            Why::Header { segment: 2 },
        ),
        (
            "joined",
            |f| {
                f.write(2, &format!("{}{}", f.read(2), f.read(3)));
                remove(f, 3);
            },
            2,
            5,
            Why::StrayHeader,
        ),
        (
            "renamed as the first",
            |f| {
                remove(f, 1);
                fs::rename(path(f, 2), path(f, 1)).expect("renamed");
            },
            1,
            1,
            Why::Header { segment: 1 },
        ),
    ]);
}

#[test]
fn what_is_allowed_shows_in_the_summary() {
    let cases: [(&str, Change<Folder>, [u64; 5]); 5] = [
        ("untouched", |_| {}, [4, 16, 1, 1, 16]),
        ("oldest removed", |f| remove(f, 1), [3, 12, 2, 5, 16]),
        ("all but the newest removed", |f| (1..4).for_each(|s| remove(f, s)), [1, 4, 4, 13, 16]),
        // Nothing in the files can show this; the head, compared with a copy, does.
        ("newest lines cut off", |f| edit(f, 4, |l| l.truncate(2)), [4, 14, 1, 1, 14]),
        ("segment just begun", |f| f.write(5, ""), [5, 16, 1, 1, 16]),
    ];
    for (name, tamper, expected) in cases {
        let folder = Folder::filled();
        fs::write(folder.0.join("audit-1.jsonl.bak"), "not ours").expect("written");
        tamper(&folder);
        let found = folder.verify().expect(name);
        let Summary { segments, lines, starts_at_segment, starts_at_seq, head_seq, .. } = found;
        assert_eq!([segments, lines, starts_at_segment, starts_at_seq, head_seq], expected, "{name}");
    }
}

#[test]
fn an_empty_folder_is_whole_and_an_absent_one_is_an_error() {
    let folder = Folder::new();
    assert_eq!(folder.verify().expect("nothing to prove"), Summary::default());
    assert_eq!(Summary::default().head_hash, "0".repeat(64));
    let absent = verify(&folder.0.join("absent"), &mut |_| {});
    assert!(matches!(absent, Err(VerifyError::Io { .. })));
}

#[test]
fn progress_ends_at_the_total() {
    let folder = Folder::filled();
    let mut seen = Vec::new();
    verify(&folder.0, &mut |progress| seen.push(progress)).expect("whole");
    assert_eq!(seen.len(), 4);
    assert!(seen.is_sorted_by_key(|progress| progress.done_bytes));
    assert!(seen.last().is_some_and(|last| last.done_bytes == last.total_bytes && last.total_bytes > 0));
}
