//! Segment files: their names, their one writer, and reading them from the end.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::chain::Batch;
use super::{AuditError, at, length};

/// The most lines that [`tail`] hands out.
pub const TAIL_LINES_LIMIT: usize = 100_000;

const BLOCK_BYTES: u64 = 64 << 10;

/// The segments of a folder, oldest first: their numbers and paths. Other files are none of ours.
///
/// # Errors
/// When the folder cannot be read.
pub fn segments(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(number) = entry.file_name().to_str().and_then(number) {
            found.push((number, entry.path()));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The last `count` whole lines of a folder, oldest first, at most [`TAIL_LINES_LIMIT`]; a segment's header
/// counts as a line.
///
/// # Errors
/// When the folder or a segment cannot be read.
pub fn tail(folder: &Path, count: usize) -> Result<Vec<String>, AuditError> {
    let mut wanted = count.min(TAIL_LINES_LIMIT);
    let mut lines = VecDeque::new();
    for (_, path) in segments(folder).map_err(at(folder))?.iter().rev() {
        if wanted == 0 {
            break;
        }
        let file = File::open(path).map_err(at(path))?;
        let (whole, _) = last_lines(&file, length(&file, path)?, wanted).map_err(at(path))?;
        for line in whole.split_inclusive(|&byte| byte == b'\n').rev() {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            lines.push_front(String::from_utf8_lossy(line).into_owned());
            wanted -= 1;
        }
    }
    Ok(lines.into())
}

/// The path of a segment.
pub(super) fn path_of(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("audit-{segment:08}.jsonl"))
}

fn number(name: &str) -> Option<u64> {
    let number = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?.parse().ok()?;
    // Only our own spelling: `audit-1.jsonl` or `audit-+0000001.jsonl` would be a second file for one number.
    (number > 0 && name == format!("audit-{number:08}.jsonl")).then_some(number)
}

/// The last `count` whole lines of a file's first `len` bytes (fewer if it has fewer), and the unfinished
/// bytes behind them.
pub(super) fn last_lines(file: &File, len: u64, count: usize) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut blocks = Vec::new();
    let mut from = len;
    let mut feeds = 0;
    // One line feed more than lines, to know that the first of them is whole.
    while from > 0 && feeds <= count {
        let size = from.min(BLOCK_BYTES);
        from -= size;
        let mut block = vec![0; usize::try_from(size).expect("at most BLOCK_BYTES")];
        file.read_exact_at(&mut block, from)?;
        feeds += block.split(|&byte| byte == b'\n').count() - 1;
        blocks.push(block);
    }
    blocks.reverse();
    let mut bytes = blocks.concat();
    let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |feed| feed + 1);
    let unfinished = bytes.split_off(end);
    let surplus = feeds.saturating_sub(count);
    if surplus > 0 {
        let lines = bytes.split_inclusive(|&byte| byte == b'\n');
        let skipped: usize = lines.take(surplus).map(<[u8]>::len).sum();
        bytes.drain(..skipped);
    }
    Ok((bytes, unfinished))
}

/// The newest segment, open for writing, and the lines on their way into it.
#[derive(Debug)]
pub(super) struct Writer {
    folder: PathBuf,
    pub(super) segment: u64,
    pub(super) path: PathBuf,
    pub(super) file: Arc<File>,
    /// The length up to which the file holds whole lines.
    pub(super) good_len: u64,
    /// A write failed: there may be a piece of a line behind `good_len`.
    pub(super) torn: bool,
    batch: Batch,
    done: usize,
    /// Held as long as the writer lives, so that no second process writes here.
    _lock: File,
}

impl Writer {
    /// Opens a segment, making it if it is not there. `len` is how much of it is whole lines.
    pub(super) fn open(folder: PathBuf, lock: File, segment: u64, len: u64) -> Result<Self, AuditError> {
        let path = path_of(&folder, segment);
        let file = open_segment(&path)?;
        sync_folder(&folder)?;
        let torn = length(&file, &path)? != len;
        let (batch, done) = (Batch::default(), 0);
        Ok(Self {
            folder,
            segment,
            path,
            file: Arc::new(file),
            good_len: len,
            torn,
            batch,
            done,
            _lock: lock,
        })
    }

    /// The batch to be filled once the last one is written.
    pub(super) fn batch(&mut self) -> &mut Batch {
        &mut self.batch
    }

    /// The current segment, to sync it without holding the writer up.
    pub(super) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// Writes the rest of the batch, adding to `written` as it goes. After an error the rest is still there.
    pub(super) fn write_batch(&mut self, written: &AtomicU64) -> Result<(), AuditError> {
        while self.done < self.batch.bytes.len() {
            if self.batch.cuts.front() == Some(&self.done) {
                self.rotate()?;
                self.batch.cuts.pop_front();
            }
            let end = self.batch.cuts.front().copied().unwrap_or(self.batch.bytes.len());
            let count = (end - self.done) as u64;
            self.mend()?;
            if let Err(error) = (&*self.file).write_all(&self.batch.bytes[self.done..end]) {
                self.torn = true;
                return Err(at(&self.path)(error));
            }
            self.done = end;
            self.good_len += count;
            written.fetch_add(count, Ordering::Release);
        }
        self.batch.bytes.clear();
        self.done = 0;
        Ok(())
    }

    /// Removes what a failed write may have left behind the last whole line.
    fn mend(&mut self) -> Result<(), AuditError> {
        if !self.torn {
            return Ok(());
        }
        if length(&self.file, &self.path)? < self.good_len {
            return Err(AuditError::Broken { why: TOUCHED });
        }
        self.file.set_len(self.good_len).map_err(at(&self.path))?;
        self.torn = false;
        Ok(())
    }

    /// Goes on to the next segment. May be repeated after an error.
    ///
    /// The old segment is synced here and now: were it left for later, a power cut could take lines from its
    /// end while the next one survives, and that would look like tampering.
    fn rotate(&mut self) -> Result<(), AuditError> {
        self.mend()?;
        self.check_untouched()?;
        self.file.sync_data().map_err(|error| sync_failed(&error))?;
        let path = path_of(&self.folder, self.segment + 1);
        let file = open_segment(&path)?;
        if length(&file, &path)? != 0 {
            return Err(at(&path)(io::ErrorKind::AlreadyExists.into()));
        }
        sync_folder(&self.folder)?;
        self.segment += 1;
        self.path = path;
        self.file = Arc::new(file);
        self.good_len = 0;
        Ok(())
    }

    /// Makes sure that the segment is still in its place and ends where our last line ends.
    ///
    /// # Errors
    /// `Broken`, since lines written before may be lost.
    pub(super) fn check_untouched(&self) -> Result<(), AuditError> {
        let open = self.file.metadata().map_err(at(&self.path))?;
        let named = fs::metadata(&self.path).ok();
        let in_place = named.is_some_and(|named| (named.dev(), named.ino()) == (open.dev(), open.ino()));
        if in_place && open.len() == self.good_len {
            return Ok(());
        }
        Err(AuditError::Broken { why: TOUCHED })
    }
}

/// After a failed sync the kernel may count lines as written that never reached the disk: no retry can be
/// believed.
pub(super) fn sync_failed(error: &io::Error) -> AuditError {
    tracing::error!(%error, "audit segment not synced");
    AuditError::Broken { why: "the disk failed to take written lines" }
}

const TOUCHED: &str = "the segment was removed, replaced or resized while it was being written";

fn open_segment(path: &Path) -> Result<File, AuditError> {
    OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path).map_err(at(path))
}

fn sync_folder(folder: &Path) -> Result<(), AuditError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tests::Folder;

    #[test]
    fn tail_crosses_segments() {
        let folder = Folder::filled();
        let all: Vec<String> = (1..=4)
            .flat_map(|segment| folder.read(segment).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        for count in [0, 1, 3, 4, 5, 11, 16, 17, usize::MAX] {
            let expected = &all[all.len().saturating_sub(count)..];
            assert_eq!(tail(&folder.0, count).expect("lines"), expected, "{count}");
        }
    }

    #[test]
    fn tail_leaves_out_a_half_written_line() {
        let folder = Folder::filled();
        folder.write(4, &format!("{}{{\"v\":1", folder.read(4)));
        let lines = tail(&folder.0, 1).expect("lines");
        assert_eq!(folder.read(4).lines().nth(3), lines.first().map(String::as_str));
    }

    #[test]
    fn tail_of_nothing() {
        let folder = Folder::new();
        assert!(tail(&folder.0, 5).expect("no lines").is_empty());
        assert!(tail(&folder.0.join("absent"), 5).is_err());
    }

    #[test]
    fn lines_longer_than_a_block() {
        let folder = Folder::new();
        let block = usize::try_from(BLOCK_BYTES).expect("small");
        for size in [block - 1, block, block + 1, 3 * block] {
            let text = format!("a\n{}\n{}", "b".repeat(size), "c".repeat(size));
            folder.write(1, &text);
            let file = File::open(path_of(&folder.0, 1)).expect("opens");
            let (whole, unfinished) = last_lines(&file, text.len() as u64, 1).expect("read");
            assert_eq!((whole.len(), unfinished.len()), (size + 1, size));
        }
    }

    #[test]
    fn only_our_own_spelling_is_a_segment() {
        let cases = [
            ("audit-00000001.jsonl", Some(1)),
            ("audit-99999999.jsonl", Some(99_999_999)),
            ("audit-100000000.jsonl", Some(100_000_000)),
            ("audit-00000000.jsonl", None),
            ("audit-1.jsonl", None),
            ("audit-000000001.jsonl", None),
            ("audit-+0000001.jsonl", None),
            ("audit-00000001.jsonl.gz", None),
            ("lock", None),
        ];
        for (name, expected) in cases {
            assert_eq!(number(name), expected, "{name}");
        }
    }
}
