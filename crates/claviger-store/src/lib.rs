//! Ordered bytes that survive: the [`Engine`] trait, the embedded and the in-memory engine, and one suite for all.
//!
//! An engine knows nothing of keys, tags or accounts. It keeps records (a key, a value, the version that wrote it)
//! in key order, and changes them only through a [`Batch`]: all of it, if everything the batch expects still holds,
//! or nothing. [`Tx`] builds a batch from reads and writes. Uniqueness is a record expected absent, never a scan.

mod embedded;
mod engine;
mod error;
pub mod faulty;
pub mod limits;
mod memory;
mod observers;
#[cfg(any(test, feature = "suite"))]
pub mod suite;
mod tx;

pub use embedded::{EmbeddedEngine, EmbeddedOptions};
pub use engine::{
    Answer, Batch, Change, Direction, Engine, Entry, Expect, Observer, Page, Read, Scan, Stats, Stored,
    Version,
};
pub use error::{Limit, StoreError};
pub use faulty::{Faults, FaultyEngine};
pub use memory::MemoryEngine;
pub use observers::Observers;
pub use tx::Tx;
