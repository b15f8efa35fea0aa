//! The open store file: opening it, and opening it again after an I/O error.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, TryLockError};
use std::time::Instant;

use redb::{Builder, Database};

use super::EmbeddedOptions;
use super::layout;
use super::place::Place;
use crate::{StoreError, Version};

/// A store file that is open, or waits to be opened again.
pub(super) struct StoreFile {
    place: Place,
    options: EmbeddedOptions,
    slot: RwLock<Slot>,
    /// Held while the file is being opened again: when the next attempt is due, if one failed.
    reopening: Mutex<Option<Instant>>,
    /// No commit up to this one may ever be missing from the file again.
    kept: AtomicU64,
    reopens: AtomicU64,
}

impl StoreFile {
    /// Opens the store at `place`, making it if there is none.
    pub(super) fn open(place: Place, options: EmbeddedOptions) -> Result<Self, StoreError> {
        let database = place.open_or_create(&builder(options))?;
        let kept = newest_commit(&database)?;
        Ok(Self {
            place,
            options,
            slot: RwLock::new(Slot::Open { database, generation: 0 }),
            reopening: Mutex::new(None),
            kept: AtomicU64::new(kept),
            reopens: AtomicU64::new(0),
        })
    }

    /// Does `work` on the open file, opening it first if that is due. After an I/O error the file is closed.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        if !self.is_open() {
            self.reopen(self.try_lock_reopening()?)?;
        }
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        let (database, generation) = match &*slot {
            Slot::Open { database, generation } => (database, *generation),
            Slot::Closed { reason } => return Err(reason.clone()),
        };
        let error = match work(database) {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        drop(slot);
        tracing::error!(%error, "the store file failed");
        let spent = !matches!(error, redb::Error::Corrupted(_));
        let reason = failed(error);
        if spent {
            self.close(generation, reason.clone());
        }
        Err(reason)
    }

    /// Has the file open, waiting for an attempt under way on another thread.
    pub(super) fn recover(&self) -> Result<(), StoreError> {
        if self.is_open() {
            return Ok(());
        }
        self.reopen(self.reopening.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Closes the file after a failed commit and opens it again: the newest commit it turns out to have.
    pub(super) fn renew(&self, reason: &StoreError) -> Result<Version, StoreError> {
        self.close(self.generation(), reason.clone());
        self.recover()?;
        Ok(self.kept.load(Ordering::SeqCst))
    }

    /// Notes that commits up to `version` are durable.
    pub(super) fn keep(&self, version: Version) {
        self.kept.fetch_max(version, Ordering::SeqCst);
    }

    /// The newest commit known to be durable.
    pub(super) fn kept(&self) -> Version {
        self.kept.load(Ordering::SeqCst)
    }

    /// How often the file was opened again.
    pub(super) fn reopens(&self) -> u64 {
        self.reopens.load(Ordering::Relaxed)
    }

    fn is_open(&self) -> bool {
        matches!(&*self.slot.read().unwrap_or_else(PoisonError::into_inner), Slot::Open { .. })
    }

    fn generation(&self) -> u64 {
        match &*self.slot.read().unwrap_or_else(PoisonError::into_inner) {
            Slot::Open { generation, .. } => *generation,
            Slot::Closed { .. } => self.reopens(),
        }
    }

    /// Closes the file, unless it has been opened again since `generation`.
    fn close(&self, generation: u64, reason: StoreError) {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        if matches!(&*slot, Slot::Open { generation: open, .. } if *open == generation) {
            // Dropped under the lock: the file's own lock must be free before anyone opens it again.
            *slot = Slot::Closed { reason };
        }
    }

    fn try_lock_reopening(&self) -> Result<MutexGuard<'_, Option<Instant>>, StoreError> {
        match self.reopening.try_lock() {
            Ok(guard) => Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {
                Err(StoreError::Unavailable("the store file is being opened again".into()))
            }
        }
    }

    fn reopen(&self, mut due: MutexGuard<'_, Option<Instant>>) -> Result<(), StoreError> {
        if let Slot::Closed { reason } = &*self.slot.read().unwrap_or_else(PoisonError::into_inner) {
            if due.is_some_and(|due| Instant::now() < due) {
                return Err(reason.clone());
            }
        } else {
            return Ok(());
        }
        let opened = self.open_again();
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        match opened {
            Ok(database) => {
                let generation = self.reopens.fetch_add(1, Ordering::Relaxed) + 1;
                *slot = Slot::Open { database, generation };
                *due = None;
                tracing::warn!(commit = self.kept(), "the store file is open again");
                Ok(())
            }
            Err(reason) => {
                tracing::error!(%reason, "the store file cannot be opened again");
                *slot = Slot::Closed { reason: reason.clone() };
                *due = Some(Instant::now() + self.options.reopen_pause);
                Err(reason)
            }
        }
    }

    fn open_again(&self) -> Result<Database, StoreError> {
        let database = self.place.open(&builder(self.options))?;
        let (found, kept) = (newest_commit(&database)?, self.kept());
        if found < kept {
            return Err(StoreError::Corrupt(format!("it went back from commit {kept} to {found}")));
        }
        self.keep(found);
        Ok(database)
    }
}

enum Slot {
    Open {
        database: Database,
        /// Which opening this is, so that one failure seen by many threads closes the file once.
        generation: u64,
    },
    Closed {
        reason: StoreError,
    },
}

fn builder(options: EmbeddedOptions) -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(options.cache_bytes);
    builder
}

fn newest_commit(database: &Database) -> Result<Version, StoreError> {
    let meta = layout::read_meta(database).map_err(failed)?;
    meta.ok_or_else(|| StoreError::Corrupt("it is empty".into()))?.commit()
}

/// An error that left the file as it was.
pub(super) fn failed(error: redb::Error) -> StoreError {
    match error {
        redb::Error::Corrupted(what) => StoreError::Corrupt(what),
        error => StoreError::Unavailable(error.to_string()),
    }
}
