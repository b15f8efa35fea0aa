//! Proving a folder: every line of every segment, in order.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::chain::{GENESIS, Hex, LINE_LIMIT_BYTES, Line, shown};
use super::segment::{path_of, segments};

/// Proves the chain through all segments of a folder, which may be in use.
///
/// # Errors
/// `Broken` names the first line that does not fit; `Io` when something cannot be read.
pub fn verify(folder: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Summary, VerifyError> {
    let segments = segments(folder).map_err(at(folder))?;
    let mut walk = Walk { state: None, summary: Summary::default(), progress, count: Progress::default() };
    for (_, path) in &segments {
        walk.count.total_bytes += path.metadata().map_err(at(path))?.len();
    }
    let newest = segments.last().map(|(number, _)| *number);
    let mut expected = segments.first().map(|(number, _)| *number);
    for (number, path) in segments {
        if Some(number) != expected {
            let file = path_of(folder, expected.unwrap_or_default());
            return Err(VerifyError::Broken { file, line: 1, why: Why::SegmentMissing });
        }
        walk.segment(number, &path, if Some(number) == newest { Place::Newest } else { Place::Older })?;
        expected = number.checked_add(1);
    }
    let mut summary = walk.summary;
    if let Some(state) = walk.state {
        summary.head_seq = state.seq;
        summary.head_hash = shown(&state.hash);
    }
    Ok(summary)
}

/// What was proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Segment files.
    pub segments: u64,
    /// Lines in them, headers included.
    pub lines: u64,
    /// The number of the oldest segment still there; 0 in an empty folder.
    pub starts_at_segment: u64,
    /// Sequence number of the oldest line. Above 1, older segments have been removed, and what they said is
    /// not proved.
    pub starts_at_seq: u64,
    /// Sequence number of the newest line; 0 in an empty folder.
    pub head_seq: u64,
    /// Hash of the newest line. Only a copy kept elsewhere shows that nothing is missing behind it.
    pub head_hash: String,
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            segments: 0,
            lines: 0,
            starts_at_segment: 0,
            starts_at_seq: 0,
            head_seq: 0,
            head_hash: shown(&GENESIS),
        }
    }
}

/// How far a verification has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes proved.
    pub done_bytes: u64,
    /// Bytes there were at the beginning; a server that goes on writing may take `done_bytes` past it.
    pub total_bytes: u64,
}

/// Why a folder could not be proved.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The chain does not hold.
    #[error("{}, line {line}: {why}", file.display())]
    Broken {
        /// The segment.
        file: PathBuf,
        /// The first line that does not fit, counted from 1.
        line: u64,
        /// What is wrong with it.
        why: Why,
    },
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Its words.
        source: io::Error,
    },
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Its text does not give its hash.
    #[error("the line was edited: its text does not give its hash")]
    Edited,
    /// A segment does not begin with the header that belongs there.
    #[error("the header of segment {segment} belongs here")]
    Header {
        /// The number in the file's name.
        segment: u64,
    },
    /// Longer than any line we write.
    #[error("the line is longer than any audit line")]
    Long,
    /// Not of the documented shape.
    #[error("this is not a whole audit line")]
    Malformed,
    /// A segment between two others is gone.
    #[error("the segment is missing")]
    SegmentMissing,
    /// Another place in the order than the one it claims.
    #[error(
        "line {found} of the record where line {expected} belongs: lines were removed, inserted or moved"
    )]
    Sequence {
        /// The sequence number that belongs here.
        expected: u64,
        /// The one found.
        found: u64,
    },
    /// A segment header within a segment.
    #[error("a segment header in the middle of a segment")]
    StrayHeader,
    /// The line stops short.
    #[error("the line has no end: it was cut short by a crash or by hand")]
    Unfinished,
    /// Does not hold the hash of the line before.
    #[error("the line does not follow from the one before: one of them was replaced")]
    Unlinked,
    /// Of a later version of the format.
    #[error("the line is of an unknown version")]
    Version,
}

/// Whether lines may still arrive behind the end of a segment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Newest,
    Older,
}

struct Walk<'a> {
    state: Option<Link>,
    summary: Summary,
    progress: &'a mut dyn FnMut(Progress),
    count: Progress,
}

/// The line before.
struct Link {
    seq: u64,
    hash: Hex,
}

const READ_BYTES: usize = 256 << 10;
const LINES_PER_PROGRESS: u64 = 4096;

impl Walk<'_> {
    fn segment(&mut self, number: u64, path: &Path, place: Place) -> Result<(), VerifyError> {
        let file = File::open(path).map_err(at(path))?;
        // A server may be writing: what was there when we came is what we prove, to the end of its last line.
        let mut left = file.metadata().map_err(at(path))?.len();
        let mut reader = BufReader::with_capacity(READ_BYTES, file);
        let mut bytes = Vec::new();
        let mut line = 0;
        // A newest segment without a header is one that was just begun.
        while left > 0 || (line == 0 && place == Place::Older) {
            line += 1;
            let broken = |why| VerifyError::Broken { file: path.to_owned(), line, why };
            read_line(&mut reader, &mut bytes, place).map_err(at(path))?;
            let text = match bytes.strip_suffix(b"\n") {
                Some(text) => text,
                None if bytes.is_empty() && line == 1 => return Err(broken(Why::Header { segment: number })),
                None if bytes.len() > LINE_LIMIT_BYTES => return Err(broken(Why::Long)),
                None => return Err(broken(Why::Unfinished)),
            };
            self.line(number, line, text).map_err(broken)?;
            let length = bytes.len() as u64;
            left = left.saturating_sub(length);
            self.count.done_bytes += length;
            if line % LINES_PER_PROGRESS == 0 {
                (self.progress)(self.count);
            }
        }
        self.summary.segments += 1;
        (self.progress)(self.count);
        Ok(())
    }

    fn line(&mut self, segment: u64, nth: u64, text: &[u8]) -> Result<(), Why> {
        let found = Line::read(text)?;
        let expected = match &self.state {
            Some(link) => Link { seq: link.seq.saturating_add(1), hash: link.hash },
            None if segment == 1 => Link { seq: 1, hash: GENESIS },
            // The segments before were removed: this one's word for where it begins.
            None => Link { seq: found.seq, hash: found.prev },
        };
        match found.header {
            Some(number) if nth == 1 && number != segment => return Err(Why::Header { segment }),
            None if nth == 1 => return Err(Why::Header { segment }),
            Some(_) if nth > 1 => return Err(Why::StrayHeader),
            _ => {}
        }
        if found.seq != expected.seq {
            return Err(Why::Sequence { expected: expected.seq, found: found.seq });
        }
        if found.prev != expected.hash {
            return Err(Why::Unlinked);
        }
        if self.state.is_none() {
            self.summary.starts_at_segment = segment;
            self.summary.starts_at_seq = found.seq;
        }
        self.summary.lines += 1;
        self.state = Some(Link { seq: found.seq, hash: found.hash });
        Ok(())
    }
}

const WAITS: u32 = 25;
const WAIT: Duration = Duration::from_millis(10);

/// Reads up to and including a line feed, or to the end of the file, or past the longest line there can be.
///
/// The end of a file that is being written may show a piece of a line for a moment: there we wait for the
/// rest.
fn read_line(reader: &mut BufReader<File>, bytes: &mut Vec<u8>, place: Place) -> io::Result<()> {
    bytes.clear();
    for _ in 0..WAITS {
        let room = LINE_LIMIT_BYTES + 1 - bytes.len();
        reader.by_ref().take(room as u64).read_until(b'\n', bytes)?;
        if place == Place::Older || bytes.ends_with(b"\n") || bytes.len() > LINE_LIMIT_BYTES {
            break;
        }
        std::thread::sleep(WAIT);
    }
    Ok(())
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> VerifyError {
    move |source| VerifyError::Io { path: path.to_owned(), source }
}
