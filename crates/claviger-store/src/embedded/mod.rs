//! The embedded engine: one redb file, many readers, one writer thread that commits waiting batches in groups.
//!
//! A group shares one durable write. redb takes no commit after an I/O error until the file is opened anew, so the
//! engine does that by itself: at once, then on later use with a pause in between. [`place`] knows where the file is, [`file`] keeps
//! it open, [`writer`] the commits, [`read`] the lookups, [`layout`] the bytes.

mod file;
mod layout;
mod place;
mod read;
mod writer;

#[cfg(test)]
mod io_errors;
#[cfg(test)]
mod medium;
#[cfg(test)]
mod power_cut;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redb::StorageBackend;

use crate::{Answer, Batch, Engine, Observer, Observers, Page, Read, Scan, Stats, StoreError, Version};
use file::StoreFile;
use place::Place;
use writer::Writer;

/// How an [`EmbeddedEngine`] uses its file.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedOptions {
    /// Memory for pages of the file, in bytes.
    pub cache_bytes: usize,
    /// Opens at once after a crash, for a second sync in every commit. Without it opening then walks the file, about
    /// 2 s for each GB.
    pub quick_repair: bool,
    /// How long to leave a file alone that could not be opened again after a failure.
    pub reopen_pause: Duration,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self { cache_bytes: 64 * 1024 * 1024, quick_repair: false, reopen_pause: Duration::from_millis(100) }
    }
}

/// An engine over one local file, used by one process at a time.
pub struct EmbeddedEngine {
    shared: Arc<Shared>,
    writer: Writer,
}

impl EmbeddedEngine {
    /// Opens the store at `path`, or makes it (mode 0600) if there is none.
    ///
    /// Errors: `Busy` while another process has it, `NewerFormat`, `Corrupt`, and `Unavailable` for I/O errors.
    pub fn open(path: impl AsRef<Path>, options: EmbeddedOptions) -> Result<Self, StoreError> {
        Self::over(Place::path(path.as_ref()), options)
    }

    /// Opens a store on another medium than a file. `backend` is called at every opening, also after failures, and
    /// must reach the same bytes each time.
    pub fn with_backend<B: StorageBackend>(
        backend: impl Fn() -> io::Result<B> + Send + Sync + 'static,
        options: EmbeddedOptions,
    ) -> Result<Self, StoreError> {
        Self::over(Place::backend(backend), options)
    }

    fn over(place: Place, options: EmbeddedOptions) -> Result<Self, StoreError> {
        let file = StoreFile::open(place, options)?;
        let shared =
            Arc::new(Shared { file, observers: Observers::default(), counters: Counters::default() });
        let writer = Writer::start(Arc::clone(&shared), options.quick_repair)?;
        Ok(Self { shared, writer })
    }
}

impl Engine for EmbeddedEngine {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Read> {
        Box::pin(async move {
            count(&self.shared.counters.gets, 1);
            self.shared.file.with(|database| read::get(database, key))?
        })
    }

    fn scan<'a>(&'a self, scan: Scan<'a>) -> Answer<'a, Page> {
        Box::pin(async move {
            count(&self.shared.counters.scans, 1);
            self.shared.file.with(|database| read::scan(database, &scan))?
        })
    }

    fn commit(&self, batch: Batch) -> Answer<'_, Version> {
        Box::pin(self.writer.commit(batch))
    }

    fn observe(&self, observer: Observer) {
        self.shared.observers.add(observer);
    }

    fn stats(&self) -> Stats {
        let counters = &self.shared.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            commits: read(&counters.commits),
            conflicts: read(&counters.conflicts),
            flushes: read(&counters.flushes),
            unknown: read(&counters.unknown),
            bytes_committed: read(&counters.bytes_committed),
            gets: read(&counters.gets),
            scans: read(&counters.scans),
            reopens: self.shared.file.reopens(),
        }
    }
}

impl fmt::Debug for EmbeddedEngine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EmbeddedEngine").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// What the engine and its writer thread both use.
struct Shared {
    file: StoreFile,
    observers: Observers,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    commits: AtomicU64,
    conflicts: AtomicU64,
    flushes: AtomicU64,
    unknown: AtomicU64,
    bytes_committed: AtomicU64,
    gets: AtomicU64,
    scans: AtomicU64,
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
