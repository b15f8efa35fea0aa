//! The bytes of the file: its two tables and how a record is packed. `docs/format.md` describes the same.

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};

use crate::{StoreError, Stored, Version};

/// Key to version (8 bytes, big-endian) and value.
pub(super) const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
/// Numbers about the store itself, by name.
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// In [`META`]: the newest commit.
pub(super) const COMMIT: &str = "commit";

/// In [`META`]: the layout of this file.
const FORMAT: &str = "format";
/// The layout this release writes, and the newest it reads.
const FORMAT_VERSION: u64 = 1;

const VERSION_BYTES: usize = size_of::<Version>();

/// The bytes stored for a value.
pub(super) fn pack(value: &[u8], version: Version) -> Vec<u8> {
    [&version.to_be_bytes(), value].concat()
}

/// The value and version in stored bytes.
pub(super) fn unpack(bytes: &[u8]) -> Result<Stored, StoreError> {
    let (version, value) = split(bytes)?;
    Ok(Stored { value: value.to_vec(), version })
}

/// The version in stored bytes.
pub(super) fn version_of(bytes: &[u8]) -> Result<Version, StoreError> {
    split(bytes).map(|(version, _)| version)
}

/// Makes the tables of a new store.
pub(super) fn create(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(RECORDS)?;
    let mut meta = transaction.open_table(META)?;
    meta.insert(FORMAT, FORMAT_VERSION)?;
    meta.insert(COMMIT, 0)?;
    drop(meta);
    Ok(transaction.commit()?)
}

/// The format and newest commit of a store; `None` if it has no tables yet.
pub(super) fn read_meta(database: &Database) -> Result<Option<Meta>, redb::Error> {
    let transaction = database.begin_read()?;
    let meta = match transaction.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(Some(Meta { format: number(&meta, FORMAT)?, commit: number(&meta, COMMIT)? }))
}

/// The number stored under `name`.
pub(super) fn number(meta: &impl ReadableTable<&'static str, u64>, name: &str) -> Result<u64, redb::Error> {
    let found = meta.get(name)?;
    found.map(|number| number.value()).ok_or_else(|| redb::Error::Corrupted(format!("`{name}` is missing")))
}

/// What a store says of itself.
pub(super) struct Meta {
    format: u64,
    commit: Version,
}

impl Meta {
    /// The newest commit, if this release can read the store.
    pub(super) fn commit(&self) -> Result<Version, StoreError> {
        match self.format {
            FORMAT_VERSION => Ok(self.commit),
            found if found > FORMAT_VERSION => Err(StoreError::NewerFormat { found, known: FORMAT_VERSION }),
            found => Err(StoreError::Corrupt(format!("there is no format {found}"))),
        }
    }
}

fn split(bytes: &[u8]) -> Result<(Version, &[u8]), StoreError> {
    let (version, value) = bytes
        .split_first_chunk::<VERSION_BYTES>()
        .ok_or_else(|| StoreError::Corrupt(format!("a record has {} bytes", bytes.len())))?;
    Ok((Version::from_be_bytes(*version), value))
}
