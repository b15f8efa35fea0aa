//! Files that only their owner may read, whole or not there at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use claviger_core::Secret;

/// Makes a folder with mode 0700, and those above it, where they are missing.
pub fn make_folder(folder: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Writes a new file (mode 0600) that is whole once it has its name; one that is there already is an error.
pub fn create(path: &Path, content: &[u8]) -> Result<()> {
    let written = write_beside(path, content)?;
    // Unlike a rename, a link never takes the place of what is there.
    let named = fs::hard_link(&written, path);
    fs::remove_file(&written).with_context(|| format!("cannot remove {}", written.display()))?;
    named.with_context(|| format!("cannot create {}", path.display()))?;
    sync_folder(path)
}

/// Writes a file (mode 0600) in the place of what was there; a reader sees the old content or the new.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let written = write_beside(path, content)?;
    fs::rename(&written, path).with_context(|| format!("cannot write {}", path.display()))?;
    sync_folder(path)
}

/// A new, empty file (mode 0600); what an earlier attempt left under the name goes.
pub fn begin(path: &Path) -> Result<File> {
    let doing = || format!("cannot write {}", path.display());
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(doing),
        Ok(()) | Err(_) => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).with_context(doing)
}

/// Reads a file that holds a secret; one that everybody on the machine can read is refused.
pub fn read_secret(path: &Path, limit: u64) -> Result<Secret> {
    let metadata = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(metadata.is_file(), "{} is not a file", path.display());
    ensure!(metadata.len() <= limit, "{} is longer than {limit} bytes", path.display());
    if metadata.mode() & 0o007 != 0 {
        bail!("{0} can be read by everybody on this machine; run `chmod 600 {0}`", path.display());
    }
    Ok(Secret::new(fs::read(path).with_context(|| format!("cannot read {}", path.display()))?))
}

/// Makes a name in a folder survive a power cut.
pub fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(|| format!("cannot sync the folder {}", folder.display()))
}

/// The name beside a path under which its content comes to be.
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

fn write_beside(path: &Path, content: &[u8]) -> Result<PathBuf> {
    let new = beside(path);
    let mut file = begin(&new)?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write {}", new.display()))?;
    Ok(new)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn files_are_the_owners_alone_and_created_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        create(&path, b"first").expect("nothing is there");
        create(&path, b"second").expect_err("it is there");
        assert_eq!(fs::read(&path).expect("readable"), b"first");
        replace(&path, b"third").expect("writable");
        assert_eq!(fs::read(&path).expect("readable"), b"third");
        let mode = fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!beside(&path).exists());
    }

    #[test]
    fn folders_are_the_owners_alone() {
        let above = tempfile::tempdir().expect("a folder");
        let folder = above.path().join("a/b");
        make_folder(&folder).expect("writable");
        make_folder(&folder).expect("there already is as good");
        let mode = fs::metadata(&folder).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
