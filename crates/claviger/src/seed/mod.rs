//! What a seed file declares: accounts, users, access keys, policies and keys that are there once the server has started.
//!
//! Applying a seed makes what is missing and leaves alone what is there, so a start with the same seed changes nothing. What
//! people change through the API afterwards stays changed: the status of an access key, a password, a tag. A declaration that
//! cannot be true beside what the store holds, such as an access key of somebody else, is refused before anything is written.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use claviger_core::key::Origin;
use claviger_core::{HexId, KeyId, Secret};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::toml_file;

mod apply;
mod bulk;
mod check;
mod stored;
#[cfg(test)]
mod tests;

pub use apply::apply;

/// A seed file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// Its accounts.
    #[serde(default, rename = "account")]
    pub accounts: Vec<Account>,
}

/// An account and all that is declared in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its number; the root user bears it too.
    pub uin: u64,
    /// Its second number.
    pub app_id: u64,
    /// Its hex name.
    pub domain_id: HexId,
    /// Its name, which is also the root user's.
    pub domain_name: String,
    /// Its project in the first region.
    pub project_id: HexId,
    /// The root user's hex name; absent: any.
    pub user_id: Option<HexId>,
    /// The root user's password; absent: it cannot log in with one.
    #[serde(default, deserialize_with = "optional_secret")]
    pub password: Option<Secret>,
    /// The root user's access keys.
    #[serde(default, rename = "access_key")]
    pub access_keys: Vec<AccessKey>,
    /// Its policies.
    #[serde(default, rename = "policy")]
    pub policies: Vec<Policy>,
    /// Its users beside root.
    #[serde(default, rename = "user")]
    pub users: Vec<User>,
    /// Its keys, in the first region.
    #[serde(default, rename = "key")]
    pub keys: Vec<Key>,
    /// Many keys more.
    #[serde(default, deserialize_with = "one_or_many")]
    pub bulk: Vec<Bulk>,
}

/// An access key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessKey {
    /// Its id.
    pub id: String,
    /// Its secret.
    #[serde(deserialize_with = "secret")]
    pub secret: Secret,
    /// Whether it may be used at first.
    #[serde(default)]
    pub status: Status,
}

/// Whether an access key may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Status {
    /// It may.
    #[default]
    Active,
    /// It may not.
    Inactive,
}

/// A policy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name, unique in the account.
    pub name: String,
    /// A CAM 2.0 document.
    pub document: String,
    /// A description.
    #[serde(default)]
    pub description: String,
}

/// A user.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Its name, unique in the account.
    pub name: String,
    /// Its number.
    pub uin: u64,
    /// Its hex name; absent: any.
    pub user_id: Option<HexId>,
    /// Its password; absent: it cannot log in with one.
    #[serde(default, deserialize_with = "optional_secret")]
    pub password: Option<Secret>,
    /// Names of policies of the account, or of presets.
    #[serde(default)]
    pub policies: Vec<String>,
    /// Its access keys.
    #[serde(default, rename = "access_key")]
    pub access_keys: Vec<AccessKey>,
}

/// A key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// Its alias, unique in the account and region.
    pub alias: String,
    /// A description.
    #[serde(default)]
    pub description: String,
    /// Where its material comes from.
    #[serde(default)]
    pub origin: Material,
    /// Its tags at first.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// Where a key's material comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Material {
    /// Its owner imports it.
    External,
    /// It is made here.
    #[default]
    Kms,
}

impl From<Material> for Origin {
    fn from(material: Material) -> Self {
        match material {
            Material::External => Self::External,
            Material::Kms => Self::Internal,
        }
    }
}

/// Very many keys, for measuring: aliases `bulk-000000`, `bulk-000001` and so on, with ids that follow from account and number.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bulk {
    /// How many.
    pub keys: u32,
}

impl Seed {
    /// Reads a seed file.
    pub fn read(path: &Path) -> Result<Self> {
        toml_file::parse(path, &toml_file::read(path)?)
    }
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Err(serde::de::Error::custom("a secret cannot be empty"));
    }
    Ok(Secret::from(text))
}

fn optional_secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
    secret(from).map(Some)
}

/// A table, or an array of tables.
fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Bulk>, D::Error> {
    struct OneOrMany;

    impl<'de> Visitor<'de> for OneOrMany {
        type Value = Vec<Bulk>;

        fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            to.write_str("a table or an array of tables")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<Bulk>, A::Error> {
            Bulk::deserialize(MapAccessDeserializer::new(map)).map(|one| vec![one])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Bulk>, A::Error> {
            let mut many = Vec::new();
            while let Some(one) = seq.next_element()? {
                many.push(one);
            }
            Ok(many)
        }
    }

    from.deserialize_any(OneOrMany)
}
