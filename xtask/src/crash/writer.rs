//! One writer: changes things until it is cut off, and remembers what it was told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use anyhow::{Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::account::Account;
use crate::caller::{Caller, Outcome, text};
use crate::chance::Chance;

/// What every key is asked to seal.
const PLAINTEXT: &[u8] = b"sealed before the crash";
/// Tags of one batch; they carry the same value, so that a half-applied batch shows.
const BATCH: [&str; 3] = ["a", "b", "c"];
/// Keys of one writer. Six writers stay below the account's quota.
const KEYS: usize = 12;

/// A key as this writer was told it is.
#[derive(Debug, Default)]
pub struct Key {
    pub id: String,
    pub alias: String,
    pub tags: BTreeMap<String, String>,
    /// Resource ids; the product is always [`PRODUCT`].
    pub bindings: BTreeSet<String>,
    /// A ciphertext of [`PLAINTEXT`], where one was handed out.
    pub blob: Option<String>,
}

/// The product of every binding.
pub const PRODUCT: &str = "crash";

/// A change that was asked for and not answered.
#[derive(Debug)]
pub enum Pending {
    Bind { key: usize, resource: String },
    Create { alias: String },
    Status { active: bool },
    Tags { key: usize, tags: BTreeMap<String, String> },
}

/// One writer and all it knows.
pub struct Writer {
    pub account: Account,
    pub number: usize,
    pub keys: Vec<Key>,
    /// Whether its user's access key is active.
    pub active: bool,
    pub pending: Option<Pending>,
    /// Of every acknowledged change that answers with one.
    pub request_ids: Vec<String>,
    chance: Chance,
    count: usize,
}

impl Writer {
    pub fn new(account: Account, number: usize, chance: Chance) -> Self {
        let (keys, request_ids) = (Vec::new(), Vec::new());
        Self { account, number, keys, active: true, pending: None, request_ids, chance, count: 0 }
    }

    /// Returns when the connection breaks; a refusal or a nonsensical answer is an error.
    pub fn write_until_cut_off(&mut self, address: SocketAddr) -> Result<()> {
        let Ok(mut caller) = Caller::connect(address, &self.account.root()) else { return Ok(()) };
        loop {
            let Some(change) = self.choose() else { continue };
            self.pending = Some(change);
            match self.send(&mut caller) {
                Ok(Outcome::Done(answer)) => self.acknowledge(&answer)?,
                Ok(Outcome::Refused(code)) => bail!("{:?} was refused with {code}", self.pending),
                Err(_) => return Ok(()),
            }
            if self.keys.iter().any(|key| key.blob.is_none()) && self.seal(&mut caller).is_err() {
                return Ok(());
            }
        }
    }

    /// The next change; `None` where the draw makes no sense yet.
    fn choose(&mut self) -> Option<Pending> {
        self.count += 1;
        let unique = format!("{}-{}", self.number, self.count);
        let draw = self.chance.below(10);
        if self.keys.is_empty() || (draw == 0 && self.keys.len() < KEYS) {
            return Some(Pending::Create { alias: format!("crash-{unique}") });
        }
        let key = self.chance.below(self.keys.len());
        match draw {
            1..=3 => Some(Pending::Bind { key, resource: unique }),
            4..=6 => {
                let mut tags = self.keys.get(key)?.tags.clone();
                tags.extend(BATCH.map(|name| (name.to_owned(), unique.clone())));
                Some(Pending::Tags { key, tags })
            }
            7 => {
                let mut tags = self.keys.get(key)?.tags.clone();
                tags.insert("single".into(), unique);
                Some(Pending::Tags { key, tags })
            }
            8 | 9 => Some(Pending::Status { active: !self.active }),
            _ => None,
        }
    }

    /// Sends the pending change.
    fn send(&self, caller: &mut Caller) -> Result<Outcome> {
        match self.pending.as_ref().expect("set by the only caller") {
            Pending::Bind { key, resource } => {
                let body = json!({"KeyId": self.key_id(*key), "ProductId": PRODUCT, "ResourceId": resource});
                caller.tencent("kms", "BindCloudResource", &body)
            }
            Pending::Create { alias } => {
                let tags = json!([{"TagKey": "born", "TagValue": alias}]);
                caller.tencent("kms", "CreateKey", &json!({"Alias": alias, "Tags": tags}))
            }
            Pending::Status { active } => {
                let body = json!({
                    "AccessKeyId": self.account.user_pair(self.number).id,
                    "Status": if *active { "Active" } else { "Inactive" },
                    "TargetUin": self.account.user_uin(self.number),
                });
                caller.tencent("cam", "UpdateAccessKey", &body)
            }
            Pending::Tags { key, tags } => self.send_tags(caller, *key, tags),
        }
    }

    /// Several changed tags go as a batch, one goes as a single tag.
    fn send_tags(&self, caller: &mut Caller, key: usize, tags: &BTreeMap<String, String>) -> Result<Outcome> {
        let old = self.keys.get(key).map(|key| &key.tags);
        let changed: Vec<Value> = tags
            .iter()
            .filter(|(name, value)| old.and_then(|old| old.get(*name)) != Some(value))
            .map(|(name, value)| json!({"key": name, "value": value}))
            .collect();
        let path = format!("/v1.0/{}/kms/{}/tags", self.account.project_id(), self.key_id(key));
        if let [tag] = changed.as_slice() {
            return caller.huawei("POST", &path, &json!({"tag": tag}));
        }
        let body = json!({"action": "create", "tags": changed});
        caller.huawei("POST", &format!("{path}/action"), &body)
    }

    /// The pending change is now a fact.
    pub fn acknowledge(&mut self, answer: &Value) -> Result<()> {
        if let Some(id) = answer.get("RequestId").and_then(Value::as_str) {
            self.request_ids.push(id.to_owned());
        }
        match self.pending.take() {
            Some(Pending::Bind { key, resource }) => {
                self.keys[key].bindings.insert(resource);
            }
            Some(Pending::Create { alias }) => self.adopt(text(answer, "/KeyId")?, alias),
            Some(Pending::Status { active }) => self.active = active,
            Some(Pending::Tags { key, tags }) => self.keys[key].tags = tags,
            None => {}
        }
        Ok(())
    }

    /// A key that this writer made.
    pub fn adopt(&mut self, id: String, alias: String) {
        let tags = BTreeMap::from([("born".to_owned(), alias.clone())]);
        self.keys.push(Key { id, alias, tags, ..Key::default() });
    }

    /// Has every key that has not done so seal the plaintext.
    pub fn seal(&mut self, caller: &mut Caller) -> Result<()> {
        for key in self.keys.iter_mut().filter(|key| key.blob.is_none()) {
            let body = json!({"KeyId": key.id, "Plaintext": STANDARD.encode(PLAINTEXT)});
            let sealed = caller.tencent("kms", "Encrypt", &body)?.done()?;
            key.blob = Some(text(&sealed, "/CiphertextBlob")?);
        }
        Ok(())
    }

    fn key_id(&self, key: usize) -> &str {
        self.keys.get(key).map_or("", |key| &key.id)
    }
}

/// [`PLAINTEXT`] as Decrypt returns it.
pub fn expected_plaintext() -> String {
    STANDARD.encode(PLAINTEXT)
}
