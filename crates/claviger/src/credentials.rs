//! `credentials.json`: where a server started by `dev` is, and how to sign for its first account.
//!
//! Every value is a string, `uin` and `app_id` too: SDKs take and give them as text. `secret_id` with `secret_key` and
//! `access_key` with `secret_access_key` belong to the same root user, and every dialect accepts either pair.

use std::path::Path;

use anyhow::{Context as _, Result};
use claviger_core::access_key::{ALPHANUMERIC, UPPER_ALPHANUMERIC};
use claviger_core::{Entropy, HexId, Secret};
use serde::{Deserialize, Deserializer, Serialize};

use crate::files;
use crate::seed::{AccessKey, Account, Status};

/// The name of the first account where nobody gave one.
const DOMAIN_NAME: &str = "claviger-dev";
/// Characters of a random password, before the ending that satisfies every rule for passwords.
const PASSWORD_CHARS: usize = 20;

/// The first account of a store, and its root user's secrets.
#[derive(Debug)]
pub struct Credentials {
    /// Where the server is.
    pub endpoint: String,
    /// The account's number.
    pub uin: u64,
    /// The account's second number.
    pub app_id: u64,
    /// The account's hex name.
    pub domain_id: HexId,
    /// The account's name, and its root user's.
    pub domain_name: String,
    /// The account's project.
    pub project_id: HexId,
    /// The region.
    pub region: String,
    /// The root user's hex name.
    pub user_id: HexId,
    /// The root user's password; empty if it has none.
    pub password: Secret,
    /// An access key in Tencent's shape, and its secret.
    pub first: Pair,
    /// An access key in Huawei's shape, and its secret.
    pub second: Pair,
}

/// An access key's id and secret; both empty where there is none.
#[derive(Debug)]
pub struct Pair {
    /// The id.
    pub id: String,
    /// The secret.
    pub secret: Secret,
}

impl Credentials {
    /// Those of an account that does not exist yet.
    pub fn random(entropy: &Entropy, region: &str) -> Self {
        let hex = || HexId(entropy.bytes());
        Self {
            endpoint: String::new(),
            uin: 100_000_000_000 + entropy.below(1_000_000_000),
            app_id: 1_300_000_000 + entropy.below(90_000_000),
            domain_id: hex(),
            domain_name: DOMAIN_NAME.into(),
            project_id: hex(),
            region: region.into(),
            user_id: hex(),
            password: Secret::from(entropy.text(ALPHANUMERIC, PASSWORD_CHARS) + "!9aA"),
            first: Pair {
                id: format!("AKID{}", entropy.text(ALPHANUMERIC, 32)),
                secret: Secret::from(entropy.text(ALPHANUMERIC, 32)),
            },
            second: Pair {
                id: entropy.text(UPPER_ALPHANUMERIC, 20),
                secret: Secret::from(entropy.text(ALPHANUMERIC, 40)),
            },
        }
    }

    /// Those of a declared account, whose root user has the hex name `user_id`.
    pub fn of(account: &Account, user_id: HexId, region: &str) -> Self {
        let first = account.access_keys.first();
        let second = account.access_keys.get(1).or(first);
        let pair = |access_key: Option<&AccessKey>| match access_key {
            Some(AccessKey { id, secret, .. }) => Pair { id: id.clone(), secret: copy(secret) },
            None => Pair { id: String::new(), secret: Secret::new(Vec::new()) },
        };
        Self {
            endpoint: String::new(),
            uin: account.uin,
            app_id: account.app_id,
            domain_id: account.domain_id,
            domain_name: account.domain_name.clone(),
            project_id: account.project_id,
            region: region.into(),
            user_id,
            password: account.password.as_ref().map_or_else(|| Secret::new(Vec::new()), copy),
            first: pair(first),
            second: pair(second),
        }
    }

    /// The account that these are of, as a declaration.
    pub fn account(&self) -> Account {
        let access_key = |pair: &Pair| AccessKey {
            id: pair.id.clone(),
            secret: copy(&pair.secret),
            status: Status::Active,
        };
        Account {
            uin: self.uin,
            app_id: self.app_id,
            domain_id: self.domain_id,
            domain_name: self.domain_name.clone(),
            project_id: self.project_id,
            user_id: Some(self.user_id),
            password: Some(copy(&self.password)),
            access_keys: vec![access_key(&self.first), access_key(&self.second)],
            policies: Vec::new(),
            users: Vec::new(),
            keys: Vec::new(),
            bulk: Vec::new(),
        }
    }

    /// Reads a file that [`Credentials::write`] made.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            Secret::new(std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?);
        // Revealed to be parsed.
        let read: Read = serde_json::from_slice(text.reveal())
            .with_context(|| format!("{} is not what `claviger dev` writes; move it away", path.display()))?;
        Ok(read.into())
    }

    /// Writes them to a file (mode 0600) in one step.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = self.json()?;
        // Revealed to be written to the file that keeps them.
        files::replace(path, text.reveal())
    }

    fn json(&self) -> Result<Secret> {
        let written = Written {
            endpoint: &self.endpoint,
            uin: &self.uin.to_string(),
            app_id: &self.app_id.to_string(),
            secret_id: &self.first.id,
            secret_key: shown(&self.first.secret)?,
            domain_id: self.domain_id,
            domain_name: &self.domain_name,
            project_id: self.project_id,
            region: &self.region,
            user_name: &self.domain_name,
            user_id: self.user_id,
            password: shown(&self.password)?,
            access_key: &self.second.id,
            secret_access_key: shown(&self.second.secret)?,
        };
        let mut text =
            serde_json::to_vec_pretty(&written).context("credentials cannot be written as JSON")?;
        text.push(b'\n');
        Ok(Secret::new(text))
    }
}

/// A secret as text, for whom it was made for.
pub fn shown(secret: &Secret) -> Result<&str> {
    // Revealed to its owner.
    std::str::from_utf8(secret.reveal()).context("a secret is not text")
}

fn copy(secret: &Secret) -> Secret {
    // Revealed to be kept until the file is written.
    Secret::new(secret.reveal().to_vec())
}

/// The file, in the order people read it.
#[derive(Serialize)]
struct Written<'a> {
    endpoint: &'a str,
    uin: &'a str,
    app_id: &'a str,
    secret_id: &'a str,
    secret_key: &'a str,
    domain_id: HexId,
    domain_name: &'a str,
    project_id: HexId,
    region: &'a str,
    user_name: &'a str,
    user_id: HexId,
    password: &'a str,
    access_key: &'a str,
    secret_access_key: &'a str,
}

#[derive(Deserialize)]
struct Read {
    #[serde(deserialize_with = "number")]
    uin: u64,
    #[serde(deserialize_with = "number")]
    app_id: u64,
    secret_id: String,
    #[serde(deserialize_with = "secret")]
    secret_key: Secret,
    domain_id: HexId,
    domain_name: String,
    project_id: HexId,
    region: String,
    user_id: HexId,
    #[serde(deserialize_with = "secret")]
    password: Secret,
    access_key: String,
    #[serde(deserialize_with = "secret")]
    secret_access_key: Secret,
}

impl From<Read> for Credentials {
    fn from(read: Read) -> Self {
        Self {
            endpoint: String::new(),
            uin: read.uin,
            app_id: read.app_id,
            domain_id: read.domain_id,
            domain_name: read.domain_name,
            project_id: read.project_id,
            region: read.region,
            user_id: read.user_id,
            password: read.password,
            first: Pair { id: read.secret_id, secret: read.secret_key },
            second: Pair { id: read.access_key, secret: read.secret_access_key },
        }
    }
}

fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    String::deserialize(from).map(Secret::from)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn written_for_the_owner_alone_and_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("credentials.json");
        let mut made = Credentials::random(&Entropy::seeded(1), "local");
        made.endpoint = "http://127.0.0.1:1".into();
        made.write(&path).expect("writable");
        made.write(&path).expect("and again");
        let permissions = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(permissions & 0o777, 0o600);
        let read = Credentials::read(&path).expect("whole");
        assert_eq!((read.uin, read.app_id, read.user_id), (made.uin, made.app_id, made.user_id));
        assert_eq!(read.second.secret, made.second.secret);
        let json: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&path).expect("there")).expect("JSON");
        let fields = json.as_object().expect("an object");
        assert_eq!(fields.len(), 14);
        assert!(fields.values().all(serde_json::Value::is_string), "{json}");
        assert_eq!(json["user_name"], json["domain_name"]);
    }

    #[test]
    fn shapes_are_the_clouds() {
        let made = Credentials::random(&Entropy::seeded(2), "local");
        assert_eq!((made.first.id.len(), made.first.secret.len()), (36, 32));
        assert_eq!((made.second.id.len(), made.second.secret.len()), (20, 40));
        assert!(made.second.id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
    }

    #[test]
    fn other_files_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("credentials.json");
        for text in ["", "{}", "[]", "{\"uin\":1}"] {
            std::fs::write(&path, text).expect("writable");
            let error = Credentials::read(&path).expect_err(text).to_string();
            assert!(error.contains("move it away"), "{error}");
        }
    }
}
