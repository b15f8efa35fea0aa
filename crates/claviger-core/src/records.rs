//! Everything in the store: where each record lies, and what it holds. This page is the whole schema.
//!
//! A store key is one letter for the kind and then the record's parts, in an order that makes a prefix scan useful. Numbers are
//! eight bytes, big-endian; ids are their 16 bytes; a ring is its account and its region's name behind one length byte; texts
//! that something follows end in a zero byte (no text in the store may contain one). A value is a JSON object (RFC 8259) that
//! carries its format in `v`; a record with a larger `v` than [`FORMAT`] is refused.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::clock::Moment;
use crate::fault::Fault;
use crate::ids::{AccountId, HexId, KeyId, PolicyId, RegionId, RingId, UserId};
use crate::key::Key;
use crate::permission::Language;
use crate::policy::Statement;

/// The newest format of a record that this binary writes and reads.
pub const FORMAT: u8 = 1;

/// Where each record lies.
pub mod at {
    use super::{AccountId, HexId, KeyId, Moment, PolicyId, RingId, UserId};

    fn build(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
        let mut key = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
        key.push(kind);
        for part in parts {
            key.extend_from_slice(part);
        }
        key
    }

    fn half_digest(text: &str) -> [u8; 16] {
        let digest = claviger_crypto::sha256(&[text.as_bytes()]);
        *digest.first_chunk().expect("a SHA-256 is longer than its half")
    }

    fn ring_bytes(ring: &RingId) -> Vec<u8> {
        let region = ring.region.as_str().as_bytes();
        let mut bytes = ring.account.0.to_be_bytes().to_vec();
        bytes.push(u8::try_from(region.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(region);
        bytes
    }

    /// `a` account → [`super::Account`]
    pub fn account(id: AccountId) -> Vec<u8> {
        build(b'a', &[&id.0.to_be_bytes()])
    }
    /// `b` key, kind, product, 0, resource → [`super::Binding`]; kind 0 is a cloud resource, 1 a hold of a service
    pub fn binding(key: KeyId, held: Held, product: &str, resource: &str) -> Vec<u8> {
        build(b'b', &[&key.0, &[held as u8], product.as_bytes(), &[0], resource.as_bytes()])
    }
    /// All bindings of one key.
    pub fn bindings(key: KeyId) -> Vec<u8> {
        build(b'b', &[&key.0])
    }
    /// `c` access key id → [`super::AccessKey`]
    pub fn access_key(id: &str) -> Vec<u8> {
        build(b'c', &[id.as_bytes()])
    }
    /// `d` account, service → [`super::Delegation`]
    pub fn delegation(account: AccountId, service: &str) -> Vec<u8> {
        build(b'd', &[&account.0.to_be_bytes(), service.as_bytes()])
    }
    /// `e` ring, service → [`super::Setting`]
    pub fn setting(ring: &RingId, service: &str) -> Vec<u8> {
        build(b'e', &[&ring_bytes(ring), service.as_bytes()])
    }
    /// `g` → [`super::Agreed`]
    pub fn agreed() -> Vec<u8> {
        build(b'g', &[])
    }
    /// `h` hex id → [`super::HexName`]
    pub fn hex(id: HexId) -> Vec<u8> {
        build(b'h', &[&id.0])
    }
    /// `i` ring, creation in ms, key → nothing; keys by age
    pub fn key_by_age(ring: &RingId, created: Moment, key: KeyId) -> Vec<u8> {
        build(b'i', &[&ring_bytes(ring), &created.millis().to_be_bytes(), &key.0])
    }
    /// All keys of a ring, by age.
    pub fn keys_by_age(ring: &RingId) -> Vec<u8> {
        build(b'i', &[&ring_bytes(ring)])
    }
    /// `j` ring → [`super::Counts`]
    pub fn counts(ring: &RingId) -> Vec<u8> {
        build(b'j', &[&ring_bytes(ring)])
    }
    /// The counts of all rings.
    pub const COUNTS: &[u8] = b"j";
    /// The region whose keys are counted in the record at `place`.
    pub fn region_counted(place: &[u8]) -> Option<&str> {
        let (length, region) = place.strip_prefix(COUNTS)?.get(8..)?.split_first()?;
        let region = std::str::from_utf8(region).ok()?;
        (region.len() == usize::from(*length)).then_some(region)
    }
    /// `k` key → [`crate::key::Key`]
    pub fn key(id: KeyId) -> Vec<u8> {
        build(b'k', &[&id.0])
    }
    /// `l` access key id → [`super::LastUsed`]
    pub fn last_used(access_key: &str) -> Vec<u8> {
        build(b'l', &[access_key.as_bytes()])
    }
    /// `m` → [`super::Meta`]
    pub fn meta() -> Vec<u8> {
        build(b'm', &[])
    }
    /// `n` ring, alias → [`super::Points`]
    pub fn alias(ring: &RingId, alias: &str) -> Vec<u8> {
        build(b'n', &[&ring_bytes(ring), alias.as_bytes()])
    }
    /// `o` → [`super::Restoring`]
    pub fn restoring() -> Vec<u8> {
        build(b'o', &[])
    }
    /// `p` policy → [`super::Policy`]
    pub fn policy(id: PolicyId) -> Vec<u8> {
        build(b'p', &[&id.0.to_be_bytes()])
    }
    /// `q` account, policy name → [`super::Points`]
    pub fn policy_name(account: AccountId, name: &str) -> Vec<u8> {
        build(b'q', &[&account.0.to_be_bytes(), name.as_bytes()])
    }
    /// `r` ring → [`super::Ring`]
    pub fn ring(ring: &RingId) -> Vec<u8> {
        build(b'r', &[&ring_bytes(ring)])
    }
    /// `t` ring, half a SHA-256 of the tag's key, half a SHA-256 of its value, key → [`crate::tag::Tag`]; keys by tag. Digests
    /// keep the place short whatever the profile of tags allows.
    pub fn key_by_tag(ring: &RingId, tag: &crate::tag::Tag, key: KeyId) -> Vec<u8> {
        build(b't', &[&ring_bytes(ring), &half_digest(&tag.key), &half_digest(&tag.value), &key.0])
    }
    /// All keys of a ring that have a tag with this key.
    pub fn keys_by_tag_key(ring: &RingId, tag_key: &str) -> Vec<u8> {
        build(b't', &[&ring_bytes(ring), &half_digest(tag_key)])
    }
    /// All tags of a ring.
    pub fn tags(ring: &RingId) -> Vec<u8> {
        build(b't', &[&ring_bytes(ring)])
    }
    /// `u` user → [`super::User`]
    pub fn user(id: UserId) -> Vec<u8> {
        build(b'u', &[&id.0.to_be_bytes()])
    }
    /// `v` account, user name → [`super::Points`]
    pub fn user_name(account: AccountId, name: &str) -> Vec<u8> {
        build(b'v', &[&account.0.to_be_bytes(), name.as_bytes()])
    }
    /// All users of an account, by name.
    pub fn users(account: AccountId) -> Vec<u8> {
        build(b'v', &[&account.0.to_be_bytes()])
    }
    /// `w` account name → [`super::Points`]
    pub fn account_name(name: &str) -> Vec<u8> {
        build(b'w', &[name.as_bytes()])
    }
    /// `x` token → [`super::Revoked`]
    pub fn revoked(token: [u8; 16]) -> Vec<u8> {
        build(b'x', &[&token])
    }
    /// `y` number → nothing; the second numbers of accounts
    pub fn app_id(number: u64) -> Vec<u8> {
        build(b'y', &[&number.to_be_bytes()])
    }
    /// `z` due in ms, key → nothing; what must happen by itself
    pub fn due(when: Moment, key: KeyId) -> Vec<u8> {
        build(b'z', &[&when.millis().to_be_bytes(), &key.0])
    }
    /// All that is due, by time.
    pub const DUE: &[u8] = b"z";
    /// All revoked tokens.
    pub const REVOKED: &[u8] = b"x";
    /// All accounts.
    pub const ACCOUNTS: &[u8] = b"a";

    /// What holds a key.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[repr(u8)]
    pub enum Held {
        /// A resource that a caller bound.
        ByResource = 0,
        /// A service of the cloud, through its own setting.
        ByService = 1,
    }
}

/// The store itself.
#[derive(Debug, Serialize, Deserialize)]
pub struct Meta {
    /// Format of this record.
    pub v: u8,
    /// When the store was made.
    pub created: Moment,
    /// The public fingerprint of the root key that wraps the rings, hex.
    pub root: String,
}

/// What the configurations of all nodes of a cluster must have in common.
#[derive(Debug, Serialize, Deserialize)]
pub struct Agreed {
    /// Format of this record.
    pub v: u8,
    /// The settings that matter, by the table of the configuration that they are in.
    pub tables: BTreeMap<String, serde_json::Value>,
}

/// A mark: the store is being filled from a dump, and is no store yet.
#[derive(Debug, Serialize, Deserialize)]
pub struct Restoring {
    /// Format of this record.
    pub v: u8,
    /// Since when.
    pub since: Moment,
}

/// A tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// Format of this record.
    pub v: u8,
    /// Its number.
    pub id: AccountId,
    /// Its second number, shown by some services.
    pub app_id: u64,
    /// Its hex name.
    pub hex: HexId,
    /// Its name, unique in the store.
    pub name: String,
    /// When it was made.
    pub created: Moment,
    /// Its project in each of our regions.
    pub projects: BTreeMap<RegionId, HexId>,
}

/// A person or program of an account. The root user carries the account's number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// Format of this record.
    pub v: u8,
    /// Its number.
    pub id: UserId,
    /// Its account.
    pub account: AccountId,
    /// Its hex name.
    pub hex: HexId,
    /// Its name, unique in the account.
    pub name: String,
    /// A remark.
    #[serde(default)]
    pub remark: String,
    /// A serial number shown by some services.
    pub serial: u64,
    /// When it was made.
    pub created: Moment,
    /// Argon2id PHC string; absent: no password login.
    #[serde(default)]
    pub password: Option<String>,
    /// Raised when earlier tokens must stop working.
    #[serde(default)]
    pub epoch: u64,
    /// Ids of its access keys, oldest first.
    #[serde(default)]
    pub access_keys: Vec<String>,
    /// What is attached to it, oldest first.
    #[serde(default)]
    pub policies: Vec<Attachment>,
    /// Contact and console settings that some services store and show.
    #[serde(default)]
    pub profile: BTreeMap<String, String>,
}

impl User {
    /// Whether this is its account's root user, whom no policy binds.
    pub fn is_root(&self) -> bool {
        self.id.0 == self.account.0
    }
}

/// A policy attached to a user.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Attachment {
    /// Which.
    pub policy: PolicyId,
    /// Since when.
    pub at: Moment,
}

/// An access key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessKey {
    /// Format of this record.
    pub v: u8,
    /// Its id.
    pub id: String,
    /// Whose account.
    pub account: AccountId,
    /// Whose.
    pub user: UserId,
    /// Whether it may be used.
    pub active: bool,
    /// A description.
    #[serde(default)]
    pub description: String,
    /// When it was made.
    pub created: Moment,
    /// The secret, sealed under the account's global ring.
    pub secret: Sealed,
}

/// When an access key was last used, within a minute or so.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct LastUsed {
    /// Format of this record.
    pub v: u8,
    /// When.
    pub at: Moment,
}

/// A policy that users can carry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// Format of this record.
    pub v: u8,
    /// Its number.
    pub id: PolicyId,
    /// Whose.
    pub account: AccountId,
    /// Its name, unique in the account.
    pub name: String,
    /// A description.
    #[serde(default)]
    pub description: String,
    /// The language of its spellings.
    pub language: Language,
    /// The document as it was given.
    pub document: String,
    /// What the document means.
    pub statements: Vec<Statement>,
    /// When it was made.
    pub created: Moment,
}

/// A key that wraps the material and secrets of one account and region.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ring {
    /// Format of this record.
    pub v: u8,
    /// Sealed under the root key.
    pub sealed: Sealed,
}

/// What counts against a ring's quotas.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Format of this record.
    pub v: u8,
    /// Keys that are not pending deletion.
    pub keys: u64,
}

/// A key's binding to a resource, or a service's hold on it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Binding {
    /// Format of this record.
    pub v: u8,
    /// The product or service.
    pub product: String,
    /// The resource.
    pub resource: String,
    /// Since when.
    pub created: Moment,
    /// By whom.
    pub creator: UserId,
}

/// An account's leave for a service of the cloud to use its keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delegation {
    /// Format of this record.
    pub v: u8,
    /// The service's principal.
    pub service: String,
    /// Since when.
    pub created: Moment,
    /// By whom.
    pub creator: UserId,
}

/// How a service encrypts in one ring.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Setting {
    /// Format of this record.
    pub v: u8,
    /// A number that does not change.
    pub number: u32,
    /// The key it encrypts with; none: it does not use the account's keys.
    pub key: Option<KeyId>,
    /// Whether it encrypts what is new without being asked.
    pub by_default: bool,
}

/// What a hex id names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HexName {
    /// An account.
    Account(AccountId),
    /// A project: the account's share of a region.
    Project(AccountId, RegionId),
    /// A user.
    User(UserId),
}

/// An index entry: a name and the id it points to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Points<T> {
    /// To what.
    pub to: T,
}

/// A token revoked before its time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Revoked {
    /// Format of this record.
    pub v: u8,
    /// When the token would have expired; the record is of no use after.
    pub until: Moment,
}

/// Bytes sealed by `claviger-crypto`; base64 in the record.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        BASE64.decode(text.as_bytes()).map(Self).map_err(de::Error::custom)
    }
}

/// Writes a record.
pub fn encode<T: Serialize>(record: &T) -> Vec<u8> {
    serde_json::to_vec(record).expect("records have string keys and no failing serializers")
}

/// Reads a record. One that cannot be read is corruption: it is logged and answered as an internal fault, never guessed at.
pub fn decode<T: DeserializeOwned>(value: &[u8]) -> Result<T, Fault> {
    #[derive(Deserialize)]
    struct Format {
        #[serde(default)]
        v: u8,
    }
    let newer = serde_json::from_slice::<Format>(value).is_ok_and(|format| format.v > FORMAT);
    if newer {
        tracing::error!(
            "a record was written by a newer claviger; start that version, or restore a dump made by this one"
        );
        return Err(Fault::Internal);
    }
    serde_json::from_slice(value).map_err(|error| {
        tracing::error!(%error, "a record in the store cannot be read");
        Fault::Internal
    })
}

/// The writes that turn one state of a key into another, its index entries included. Either may be absent.
pub fn key_writes(before: Option<&Key>, after: Option<&Key>) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let index = |key: &Key| -> Vec<(Vec<u8>, Vec<u8>)> {
        let ring = key.ring();
        let mut entries = vec![
            (at::alias(&ring, &key.alias), encode(&Points { to: key.id })),
            (at::key_by_age(&ring, key.created, key.id), Vec::new()),
        ];
        entries.extend(key.tags.iter().map(|tag| (at::key_by_tag(&ring, tag, key.id), encode(tag))));
        entries.extend(key.due().map(|when| (at::due(when, key.id), Vec::new())));
        entries
    };
    let old = before.map(index).unwrap_or_default();
    let new = after.map(index).unwrap_or_default();
    let mut writes: Vec<_> = old
        .iter()
        .filter(|(at, _)| !new.iter().any(|(kept, _)| kept == at))
        .map(|(at, _)| (at.clone(), None))
        .collect();
    writes.extend(
        new.into_iter()
            .filter(|(at, _)| !old.iter().any(|(had, _)| had == at))
            .map(|(at, value)| (at, Some(value))),
    );
    match (before, after) {
        (_, Some(key)) => writes.push((at::key(key.id), Some(encode(key)))),
        (Some(key), None) => writes.push((at::key(key.id), None)),
        (None, None) => {}
    }
    writes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_tells_its_region() {
        for region in ["local", "cn-south-1"] {
            let id = RegionId::parse(region).expect("a name");
            let place = at::counts(&RingId { account: AccountId(u64::MAX), region: id });
            assert_eq!(at::region_counted(&place), Some(region));
        }
        for place in [&b"j"[..], b"k12345678\x01a", b"j12345678", b"j12345678\x02a"] {
            assert_eq!(at::region_counted(place), None, "{place:?}");
        }
    }
}
