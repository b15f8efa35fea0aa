//! Where the bytes of a store are, and how a new store comes to be there.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use redb::{Builder, Database, DatabaseError, StorageBackend, StorageError};

use super::file::failed;
use super::layout;
use crate::StoreError;

/// A file, or another medium.
pub(super) enum Place {
    Backend(Box<OpenBackend>),
    Path(PathBuf),
}

type OpenBackend = dyn Fn(&Builder) -> Result<Database, DatabaseError> + Send + Sync;

impl Place {
    pub(super) fn path(path: &Path) -> Self {
        Self::Path(path.to_path_buf())
    }

    pub(super) fn backend<B: StorageBackend>(
        backend: impl Fn() -> io::Result<B> + Send + Sync + 'static,
    ) -> Self {
        Self::Backend(Box::new(move |builder| builder.create_with_backend(backend()?)))
    }

    /// Opens the store, making an empty one if there is none.
    pub(super) fn open_or_create(&self, builder: &Builder) -> Result<Database, StoreError> {
        match self {
            Self::Path(path) if is_missing(path) => create(path, builder),
            Self::Backend(_) | Self::Path(_) => with_tables(self.open(builder)?),
        }
    }

    /// Opens what must be there: a store whose file has gone is not started afresh.
    pub(super) fn open(&self, builder: &Builder) -> Result<Database, StoreError> {
        match self {
            Self::Backend(open) => open(builder).map_err(|error| refused(error, Path::new("the store"))),
            Self::Path(path) => builder.open(path).map_err(|error| refused(error, path)),
        }
    }
}

/// Makes a store beside `path` and moves it there once it is whole: a new file that lost power on the way can never
/// be opened, and must not be taken for a store.
fn create(path: &Path, builder: &Builder) -> Result<Database, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = Path::new(&name);
    let database = match create_in(new, builder) {
        Err(StoreError::Corrupt(_)) => {
            fs::remove_file(new).map_err(|error| unavailable(&error, new))?;
            create_in(new, builder)?
        }
        created => created?,
    };
    let database = with_tables(database)?;
    // The lock on the new file is held until it has its name, so whoever else starts now finds it taken, or done.
    if !is_missing(path) {
        fs::remove_file(new).map_err(|error| unavailable(&error, new))?;
        return Err(StoreError::Busy(path.display().to_string()));
    }
    fs::rename(new, path).map_err(|error| unavailable(&error, path))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let settled = File::open(folder).and_then(|folder| folder.sync_all());
    settled.map_err(|error| unavailable(&error, folder))?;
    Ok(database)
}

fn create_in(path: &Path, builder: &Builder) -> Result<Database, StoreError> {
    private_file().create(true).open(path).map_err(|error| unavailable(&error, path))?;
    builder.create(path).map_err(|error| refused(error, path))
}

fn with_tables(database: Database) -> Result<Database, StoreError> {
    if layout::read_meta(&database).map_err(failed)?.is_none() {
        layout::create(&database).map_err(failed)?;
    }
    Ok(database)
}

fn is_missing(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(found) => found.is_file() && found.len() == 0,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Options for a file only its owner may read.
fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn refused(error: DatabaseError, path: &Path) -> StoreError {
    let name = path.display();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            StoreError::Busy(name.to_string())
        }
        DatabaseError::UpgradeRequired(_) | DatabaseError::Storage(StorageError::Corrupted(_)) => {
            StoreError::Corrupt(format!("{name}: {error}"))
        }
        DatabaseError::Storage(StorageError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
            StoreError::Corrupt(format!("{name}: {error}"))
        }
        error => StoreError::Unavailable(format!("{name}: {error}")),
    }
}

fn unavailable(error: &io::Error, path: &Path) -> StoreError {
    StoreError::Unavailable(format!("{}: {error}", path.display()))
}
