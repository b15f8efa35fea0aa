//! Opening a folder: where the chain ends, and what a crash has left behind it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::chain::{Chain, End, GENESIS, Line};
use super::segment::{Writer, last_lines, path_of, segments};
use super::{AuditError, Settings, Why, at, length};

/// Takes the folder and finds the end of its chain. The lines that opening calls for are queued, not written.
pub(super) fn resume(settings: Settings) -> Result<(Chain, Writer), AuditError> {
    let Settings { folder, segment_bytes, .. } = settings;
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(at(&folder))?;
    let lock = lock(&folder)?;
    let Found { end, cut_bytes } = find_end(&folder)?;
    let mut chain = Chain::after(end, segment_bytes);
    if end.segment_len == 0 {
        chain.push_header();
    }
    if cut_bytes > 0 {
        tracing::warn!(cut_bytes, segment = end.segment, "half-written audit line cut off");
        chain.push_recovered(cut_bytes);
    }
    // The writer cuts the file to this length before its first line.
    let writer = Writer::open(folder, lock, end.segment, end.segment_len)?;
    Ok((chain, writer))
}

struct Found {
    end: End,
    cut_bytes: u64,
}

/// The end of the chain: the last whole line of the newest segment, or of the one before when the newest has
/// none yet.
fn find_end(folder: &Path) -> Result<Found, AuditError> {
    let segments = segments(folder).map_err(at(folder))?;
    let Some((segment, path)) = segments.last() else {
        return Ok(Found { end: End { seq: 0, hash: GENESIS, segment: 1, segment_len: 0 }, cut_bytes: 0 });
    };
    let Last { line, whole_bytes, cut_bytes } = last_line(path)?;
    let end = |seq, hash| End { seq, hash, segment: *segment, segment_len: whole_bytes };
    if let Some(line) = line {
        return Ok(Found { end: end(line.seq, line.hash), cut_bytes });
    }
    // The newest segment was begun but its header never arrived.
    if *segment == 1 {
        return Ok(Found { end: end(0, GENESIS), cut_bytes });
    }
    let before = path_of(folder, segment - 1);
    if !segments.iter().any(|(number, _)| number + 1 == *segment) {
        return Err(AuditError::Damaged { file: before, why: Why::SegmentMissing });
    }
    match last_line(&before)? {
        Last { line: Some(line), cut_bytes: 0, .. } => Ok(Found { end: end(line.seq, line.hash), cut_bytes }),
        _ => Err(AuditError::Damaged { file: before, why: Why::Unfinished }),
    }
}

struct Last {
    line: Option<Line>,
    whole_bytes: u64,
    cut_bytes: u64,
}

/// The last whole line of a segment. A whole line that does not prove itself is no crash's doing: it is left
/// for `verify`.
fn last_line(path: &Path) -> Result<Last, AuditError> {
    let file = File::open(path).map_err(at(path))?;
    let len = length(&file, path)?;
    let (whole, unfinished) = last_lines(&file, len, 1).map_err(at(path))?;
    let cut_bytes = unfinished.len() as u64;
    let line = whole.strip_suffix(b"\n").map(Line::read).transpose();
    let line = line.map_err(|why| AuditError::Damaged { file: path.to_owned(), why })?;
    Ok(Last { line, whole_bytes: len - cut_bytes, cut_bytes })
}

fn lock(folder: &Path) -> Result<File, AuditError> {
    let path: PathBuf = folder.join("lock");
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(AuditError::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(error)) => Err(at(&path)(error)),
    }
}
