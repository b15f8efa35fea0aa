//! Where the root key comes from: a file, or a passphrase and a salt.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use claviger_core::{Entropy, RootKey, Secret, hex_lower};

use crate::files;

/// The name of the salt beside the store.
const SALT_FILE: &str = "root.salt";
/// Most bytes of a file that is read as a key or a passphrase.
const FILE_BYTES: u64 = 4096;

/// Where the root key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file that holds it.
    File(PathBuf),
    /// A file that holds a passphrase; argon2id and a salt in the data folder make the key of it.
    PassphraseFile(PathBuf),
}

/// Whether the store knows a root key already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreAge {
    /// It has none: a root key may be made for it.
    New,
    /// It has one: a new root key could open nothing.
    Old,
    /// It has one, as other nodes of the cluster know.
    Shared,
}

impl StoreAge {
    /// Where to find what is missing, if it may not be made.
    const fn lost(self) -> Option<&'static str> {
        match self {
            Self::New => None,
            Self::Old => Some("put it back from your copy"),
            Self::Shared => Some("copy it from another node of the cluster: all share one"),
        }
    }
}

impl Source {
    /// The root key. For a new store, what is missing of it (the key file, or the salt) is made.
    pub fn load(&self, data: &Path, age: StoreAge, entropy: &Entropy) -> Result<RootKey> {
        match self {
            Self::File(path) => from_file(path, age, entropy),
            Self::PassphraseFile(path) => from_passphrase(path, &data.join(SALT_FILE), age, entropy),
        }
    }
}

fn from_file(path: &Path, age: StoreAge, entropy: &Entropy) -> Result<RootKey> {
    if !path.exists() {
        if let Some(from) = age.lost() {
            bail!(
                "the root key {} is missing, and without it the store cannot be opened; {from}",
                path.display()
            );
        }
        let root = RootKey::generate(entropy);
        // Revealed to be written to the file that keeps it.
        files::create(path, root.to_text().reveal())?;
        tracing::info!(file = %path.display(), "made a new root key; keep a copy where the store's backups are not");
        return Ok(root);
    }
    let text = files::read_secret(path, FILE_BYTES)?;
    // Revealed to be parsed.
    RootKey::parse(text.reveal()).with_context(|| {
        format!(
            "{} does not hold a root key; it is one line that begins with `claviger-root-key-1`",
            path.display()
        )
    })
}

fn from_passphrase(path: &Path, salt_path: &Path, age: StoreAge, entropy: &Entropy) -> Result<RootKey> {
    let text = files::read_secret(path, FILE_BYTES)?;
    // Revealed to take the line ending off, which editors add.
    let passphrase = Secret::new(text.reveal().trim_ascii_end().to_vec());
    ensure!(!passphrase.is_empty(), "{} is empty; it must hold the passphrase", path.display());
    let salt = salt(salt_path, age, entropy)?;
    RootKey::from_passphrase(&passphrase, &salt).context("the root key cannot be made of the passphrase")
}

/// The salt is not secret: 32 hex digits and a line ending.
fn salt(path: &Path, age: StoreAge, entropy: &Entropy) -> Result<[u8; 16]> {
    if !path.exists() {
        if let Some(from) = age.lost() {
            bail!(
                "{} is missing, and the passphrase alone does not make the root key; {from}",
                path.display()
            );
        }
        let salt: [u8; 16] = entropy.bytes();
        files::create(path, format!("{}\n", hex_lower(&salt)).as_bytes())?;
        tracing::info!(file = %path.display(), "made a new salt; keep a copy of it with your backups");
        return Ok(salt);
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let salt = claviger_core::HexId::parse(text.trim_end());
    Ok(salt.with_context(|| format!("{} must hold 32 hex digits", path.display()))?.0)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    #[test]
    fn a_file_is_made_for_a_new_store_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("root.key");
        let source = Source::File(path.clone());
        let load = |age| source.load(folder.path(), age, &Entropy::system());
        for (age, advice) in [(StoreAge::Old, "from your copy"), (StoreAge::Shared, "from another node")] {
            let error = load(age).expect_err("it is missing").to_string();
            assert!(error.contains("root.key is missing") && error.contains(advice), "{error}");
        }
        let made = load(StoreAge::New).expect("made");
        assert_eq!(load(StoreAge::Old).expect("there").id(), made.id());
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o600);

        fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("ours");
        let error = load(StoreAge::Old).expect_err("readable by all").to_string();
        assert!(error.contains("chmod 600"), "{error}");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("ours");
        fs::write(&path, "0000").expect("ours");
        let error = load(StoreAge::Old).expect_err("no key").to_string();
        assert!(error.contains("does not hold a root key"), "{error}");
    }

    #[test]
    fn a_passphrase_makes_the_same_key_every_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("passphrase");
        files::create(&path, b"correct horse\n").expect("writable");
        let source = Source::PassphraseFile(path.clone());
        let load = |age| source.load(folder.path(), age, &Entropy::system());
        load(StoreAge::Old).expect_err("no salt, and the store has a key");
        let made = load(StoreAge::New).expect("the salt is made");
        assert_eq!(load(StoreAge::Old).expect("there").id(), made.id());
        files::replace(&path, b"correct horse").expect("writable");
        assert_eq!(load(StoreAge::Old).expect("without line ending").id(), made.id());
        files::replace(&path, b"\n").expect("writable");
        let error = load(StoreAge::Old).expect_err("empty").to_string();
        assert!(error.contains("is empty"), "{error}");
    }
}
