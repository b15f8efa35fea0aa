//! The record of who did what: one JSON line per request, chained by hash, in segment files.
//!
//! A request is first [appended](Audit::append) (memory only: the line gets its place in the chain) and then
//! [flushed](Audit::flush) (the line has been handed to the file) before its answer goes out. Whoever flushes
//! first writes for everyone who has queued, so many requests share one write. Both refuse rather than lose a
//! line; the caller then answers with the internal error.
//!
//! A line says what the server did, not what the client received: when the write fails the line stays queued
//! and is written with the next success, though its request was answered with an error.
//!
//! # What the chain proves
//! Each line holds the hash of the line before it. [`verify()`] therefore finds any line that was edited,
//! removed, inserted, moved or cut short, and any missing segment between two others. By itself it cannot know
//! - that the **newest** lines were cut off, or that everything after some line was written anew with fresh
//!   hashes: keep the head ([`Audit::head`], [`Summary`]) somewhere else from time to time and compare;
//! - that the **oldest** segments are gone: deleting those is how a site keeps its retention period, so it is
//!   allowed, and [`Summary::starts_at_seq`] says where the remaining record begins.
//!
//! # Durability
//! After `flush` a line survives the death of the process; after [`Audit::sync`] also that of the machine. A
//! segment is synced before the next one is begun, so a power cut can only ever shorten the newest.
//!
//! The bytes are described in `docs/format.md`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::Duration;
use std::{fs, io};

use self::chain::Chain;
use self::segment::Writer;
pub use self::segment::{TAIL_LINES_LIMIT, segments, tail};
pub use self::verify::{Progress, Summary, VerifyError, Why, verify};

mod chain;
mod json;
mod resume;
mod segment;
#[cfg(test)]
mod tests;
mod verify;

/// Bytes of lines that may wait to be written before [`Audit::append`] refuses. A line more may be let in.
pub const QUEUE_LIMIT_BYTES: u64 = 8 << 20;
/// Size after which a segment is followed by a new one, unless set otherwise.
pub const SEGMENT_BYTES_DEFAULT: u64 = 64 << 20;
/// Time between two syncs, unless set otherwise: what a power cut may take.
pub const SYNC_EVERY_DEFAULT: Duration = Duration::from_secs(1);

/// One request and what became of it. Holds names and numbers only, never a secret.
///
/// Text may come straight from a stranger's request: it is escaped, and cut at 1024 bytes (`resource`) or 256
/// bytes (all others); what was longer ends in `…`.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// When the request was received.
    pub time: jiff::Timestamp,
    /// The id that the answer carries.
    pub request_id: &'a str,
    /// Which cloud's API was spoken.
    pub dialect: &'a str,
    /// The action, or what was asked for where no such action exists.
    pub action: &'a str,
    /// The tenant, once known.
    pub account: Option<u64>,
    /// The caller, once known.
    pub user: Option<u64>,
    /// The public half of the access key that signed, once known.
    pub access_key: Option<&'a str>,
    /// The peer's address; an IPv4 address in IPv6 clothes is written as IPv4.
    pub source: IpAddr,
    /// What the action was about: a key id, a user.
    pub resource: Option<&'a str>,
    /// `ok`, or the code of the fault.
    pub outcome: &'a str,
}

/// Where the record is kept and how it is cut into files.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder of the segments; made with mode 0700 when absent.
    pub folder: PathBuf,
    /// A segment that has reached this size is followed by a new one.
    pub segment_bytes: u64,
    /// How often the owner calls [`Audit::sync`].
    pub sync_every: Duration,
}

impl Settings {
    /// The default sizes and times for a folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), segment_bytes: SEGMENT_BYTES_DEFAULT, sync_every: SYNC_EVERY_DEFAULT }
    }
}

/// An open record, the only one on its folder. Shared by all threads; needs no runtime.
///
/// Appends take one lock, writes another, so that nobody who appends waits for the disk.
#[derive(Debug)]
pub struct Audit {
    chain: Mutex<Chain>,
    writer: Mutex<Writer>,
    /// Bytes written since opening. What [`Ticket`] counts on the other side.
    written: AtomicU64,
    broken: OnceLock<&'static str>,
    sync_every: Duration,
}

/// The receipt for an appended line: everything queued up to and including it, in bytes since opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use = "the line is on disk only after `flush`"]
pub struct Ticket(u64);

/// The newest line of a chain. A copy kept elsewhere is what shows that nothing was cut off at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its sequence number; 0 when there is no line.
    pub seq: u64,
    /// Its hash, 64 lower-case hex digits; zeros when there is no line.
    pub hash: String,
}

impl Audit {
    /// Opens the record, continuing the chain where it ended.
    ///
    /// A last line that a crash left half-written is cut off, and a line of its own says so.
    ///
    /// # Errors
    /// `InUse` while another process has it open, `Damaged` when the end of the chain cannot be trusted (the
    /// files are then left as they are), `Io`.
    pub fn open(settings: Settings) -> Result<Self, AuditError> {
        let sync_every = settings.sync_every;
        let (chain, writer) = resume::resume(settings)?;
        let head = chain.head();
        let opening = Ticket(chain.queued());
        let audit = Self {
            chain: Mutex::new(chain),
            writer: Mutex::new(writer),
            written: AtomicU64::new(0),
            broken: OnceLock::new(),
            sync_every,
        };
        audit.flush(opening)?;
        tracing::info!(seq = head.seq, hash = head.hash, "audit record opened");
        Ok(audit)
    }

    /// Gives the event its line and its place in the chain, in memory.
    ///
    /// # Errors
    /// `Full` when [`QUEUE_LIMIT_BYTES`] wait to be written, until a flush or a sync succeeds; `Broken` when
    /// the record can take no more at all.
    pub fn append(&self, event: &Event<'_>) -> Result<Ticket, AuditError> {
        self.refuse_broken()?;
        let mut chain = self.chain()?;
        if chain.queued() - self.written.load(Ordering::Acquire) >= QUEUE_LIMIT_BYTES {
            return Err(AuditError::Full);
        }
        Ok(Ticket(chain.push_event(event)))
    }

    /// Returns once every line up to the ticket's has been written; writes for all who have queued if need
    /// be.
    ///
    /// # Errors
    /// `Io` when the write failed: the lines stay queued and the next flush tries again. `Broken` for good.
    pub fn flush(&self, ticket: Ticket) -> Result<(), AuditError> {
        if self.is_written(ticket) {
            return Ok(());
        }
        let mut writer = self.writer()?;
        // Whoever held the lock may have written this line too.
        if self.is_written(ticket) {
            return Ok(());
        }
        self.write_queued(&mut writer)
    }

    /// Writes what is queued and makes all of it safe from a power cut (`fdatasync`). Blocks for as long as
    /// the disk takes.
    ///
    /// Also notices that the segment was removed, replaced or resized by someone else, which breaks the
    /// record.
    ///
    /// # Errors
    /// `Io` when the write failed; `Broken` when the sync did, since the kernel may have dropped the lines by
    /// then.
    pub fn sync(&self) -> Result<(), AuditError> {
        let file = {
            let mut writer = self.writer()?;
            self.write_queued(&mut writer)?;
            self.note(writer.check_untouched())?;
            writer.file()
        };
        self.note(file.sync_data().map_err(|error| segment::sync_failed(&error)))
    }

    /// How often the owner is asked to call [`sync`](Self::sync).
    pub fn sync_every(&self) -> Duration {
        self.sync_every
    }

    /// The newest line, written or not.
    ///
    /// # Errors
    /// `Broken`.
    pub fn head(&self) -> Result<Head, AuditError> {
        Ok(self.chain()?.head())
    }

    /// Bytes that wait to be written, for the metrics.
    ///
    /// # Errors
    /// `Broken`.
    pub fn unwritten_bytes(&self) -> Result<u64, AuditError> {
        Ok(self.chain()?.queued() - self.written.load(Ordering::Acquire))
    }

    fn is_written(&self, ticket: Ticket) -> bool {
        self.written.load(Ordering::Acquire) >= ticket.0
    }

    fn write_queued(&self, writer: &mut Writer) -> Result<(), AuditError> {
        // What an earlier attempt left behind comes before what has queued since.
        self.note(writer.write_batch(&self.written))?;
        self.chain()?.swap_queue(writer.batch());
        self.note(writer.write_batch(&self.written))
    }

    fn chain(&self) -> Result<MutexGuard<'_, Chain>, AuditError> {
        self.note(self.chain.lock().map_err(|_| AuditError::Broken { why: PANICKED }))
    }

    fn writer(&self) -> Result<MutexGuard<'_, Writer>, AuditError> {
        self.refuse_broken()?;
        self.note(self.writer.lock().map_err(|_| AuditError::Broken { why: PANICKED }))
    }

    fn refuse_broken(&self) -> Result<(), AuditError> {
        match self.broken.get() {
            Some(why) => Err(AuditError::Broken { why }),
            None => Ok(()),
        }
    }

    /// Remembers the first `Broken`, and says it to the log once.
    fn note<T>(&self, result: Result<T, AuditError>) -> Result<T, AuditError> {
        if let Err(AuditError::Broken { why }) = &result
            && self.broken.set(why).is_ok()
        {
            tracing::error!(why, "audit record broken; every request is refused until a restart");
        }
        result
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        if let Err(error) = self.sync() {
            tracing::error!(%error, "audit record not closed cleanly");
        }
    }
}

const PANICKED: &str = "a thread died in the middle of a line";

/// Why the record cannot be opened, or cannot take a line.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Nothing can be recorded any more; only a restart helps.
    #[error("the audit record is broken: {why}")]
    Broken {
        /// What happened.
        why: &'static str,
    },
    /// The chain cannot be continued from the files found.
    #[error("{}: {why}; `claviger audit verify` shows more", file.display())]
    Damaged {
        /// The segment.
        file: PathBuf,
        /// What is wrong with its end.
        why: Why,
    },
    /// Too many lines wait to be written.
    #[error("{QUEUE_LIMIT_BYTES} bytes of audit lines wait to be written")]
    Full,
    /// Another process has the folder open.
    #[error("{}: the audit folder is in use by another process", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
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

/// Turns an I/O error into ours, with the path it concerns.
fn at(path: &Path) -> impl FnOnce(io::Error) -> AuditError {
    move |source| AuditError::Io { path: path.to_owned(), source }
}

/// The size of a file, in bytes.
fn length(file: &fs::File, path: &Path) -> Result<u64, AuditError> {
    Ok(file.metadata().map_err(at(path))?.len())
}
