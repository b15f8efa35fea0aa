//! Records decoded and opened, as the caches hold them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use claviger_crypto::{CipherKey, MacKey, RingKey, Secret};

use crate::authority::open;
use crate::clock::Moment;
use crate::fault::{CipherFault, Fault};
use crate::key::Key;
use crate::label;
use crate::policy::Compiled;
use crate::records::{AccessKey, Policy};

/// A key with its material ready for use.
#[derive(Debug)]
pub struct LoadedKey {
    pub(crate) key: Key,
    ciphers: Vec<(u32, CipherKey)>,
}

impl LoadedKey {
    /// Opens every version of the key's material.
    pub(crate) fn open(key: Key, ring: &RingKey) -> Result<Self, Fault> {
        let mut ciphers = Vec::with_capacity(key.versions.len());
        for version in &key.versions {
            let material = open(ring, &label::material(key.id, version.number), &version.material)?;
            // Revealed to prepare the cipher; it stays inside the crypto crate's types.
            let cipher = CipherKey::new(key.spec.algorithm(), material.reveal()).map_err(|error| {
                tracing::error!(%error, key = %key.id, "stored material does not fit its key");
                Fault::Internal
            })?;
            ciphers.push((version.number, cipher));
        }
        Ok(Self { key, ciphers })
    }

    /// The same key after time has done its work; `None` if it is gone.
    pub(crate) fn settled(self: Arc<Self>, now: Moment) -> Option<Arc<Self>> {
        match self.key.due() {
            Some(due) if due <= now => {
                let key = self.key.clone().settle(now)?;
                Some(Arc::new(Self { key, ciphers: Vec::new() }))
            }
            _ => Some(self),
        }
    }

    /// The record.
    pub const fn record(&self) -> &Key {
        &self.key
    }

    /// The newest version, for encrypting.
    pub(crate) fn newest(&self) -> Result<(u32, &CipherKey), Fault> {
        self.ciphers.last().map(|(number, cipher)| (*number, cipher)).ok_or(Fault::Internal)
    }

    /// A given version, for decrypting.
    pub(crate) fn version(&self, number: u32) -> Result<&CipherKey, Fault> {
        let found = self.ciphers.iter().find(|(have, _)| *have == number).map(|(_, cipher)| cipher);
        found.ok_or(Fault::Cipher(CipherFault::CiphertextInvalid))
    }
}

/// An access key with its secret opened and what was derived from it.
#[derive(Debug)]
pub struct LoadedAccessKey {
    /// The record.
    pub record: AccessKey,
    secret: Secret,
    derived: RwLock<Vec<(String, Arc<MacKey>)>>,
    /// Milliseconds since the epoch; 0: not since this node loaded it.
    used: AtomicU64,
    saved: AtomicU64,
}

impl LoadedAccessKey {
    /// Derived keys kept per access key; a client uses one per service and day.
    const MOST_DERIVED: usize = 16;

    pub(crate) const fn new(record: AccessKey, secret: Secret) -> Self {
        Self {
            record,
            secret,
            derived: RwLock::new(Vec::new()),
            used: AtomicU64::new(0),
            saved: AtomicU64::new(0),
        }
    }

    /// Whether `presented` is the MAC of `message` under the key that `derive` makes of the secret for the scope `scope`. The
    /// derived key is kept for the next time once it has proved right: made-up scopes displace nothing. It dies with this access
    /// key's place in the cache, so a change to the key is a change to all that is derived from it.
    pub(crate) fn verifies(
        &self,
        scope: &str,
        derive: impl FnOnce(&Secret) -> MacKey,
        message: &[&[u8]],
        presented: &[u8],
    ) -> bool {
        let find = |kept: &Vec<(String, Arc<MacKey>)>| {
            kept.iter().find(|(have, _)| have == scope).map(|(_, key)| Arc::clone(key))
        };
        let kept = find(&self.derived.read().unwrap_or_else(PoisonError::into_inner));
        if let Some(key) = kept {
            return key.verify(message, presented);
        }
        let key = derive(&self.secret);
        if !key.verify(message, presented) {
            return false;
        }
        let mut derived = self.derived.write().unwrap_or_else(PoisonError::into_inner);
        if derived.len() >= Self::MOST_DERIVED {
            derived.remove(0);
        }
        derived.push((scope.to_owned(), Arc::new(key)));
        true
    }

    /// Whether `presented` is the secret itself, in constant time.
    pub fn is_secret(&self, presented: &[u8]) -> bool {
        // Revealed to be compared.
        claviger_crypto::equal(self.secret.reveal(), presented)
    }

    /// Notes that the key was used.
    pub(crate) fn touch(&self, now: Moment) {
        // One store a second at most: the line is shared between cores.
        if self.used.load(Ordering::Relaxed) + 1000 <= now.millis() {
            self.used.store(now.millis(), Ordering::Relaxed);
        }
    }

    /// When it was used, if later than what was saved last.
    pub(crate) fn unsaved_use(&self) -> Option<Moment> {
        let used = self.used.load(Ordering::Relaxed);
        (self.saved.load(Ordering::Relaxed) < used).then_some(Moment::from_millis(used))
    }

    /// Notes that its use was saved up to `at`.
    pub(crate) fn saved(&self, at: Moment) {
        self.saved.fetch_max(at.millis(), Ordering::Relaxed);
    }

    /// When it was used on this node, if since it was loaded.
    pub(crate) fn used(&self) -> Option<Moment> {
        let used = self.used.load(Ordering::Relaxed);
        (used > 0).then_some(Moment::from_millis(used))
    }
}

/// A policy, compiled.
#[derive(Debug)]
pub struct LoadedPolicy {
    /// The record.
    pub record: Policy,
    /// What it means.
    pub(crate) compiled: Compiled,
}

impl LoadedPolicy {
    pub(crate) fn new(record: Policy) -> Self {
        let compiled = Compiled::new(record.language, &record.statements);
        Self { record, compiled }
    }
}
