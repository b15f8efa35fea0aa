//! The authority: one store, one root key, and what is decoded of it. All dialects ask this one.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};
use std::sync::{Arc, PoisonError, RwLock};

use claviger_crypto::{Entropy, RingKey, RootKey, Secret};
use claviger_store::{Change, Engine, Expect, StoreError, Tx, Version};
use tokio::sync::{Mutex, MutexGuard};

use crate::cache::Cache;
use crate::clock::Clock;
use crate::fault::Fault;
use crate::ids::{AccountId, HexId, KeyId, PolicyId, RegionId, RingId, UserId};
use crate::label;
use crate::loaded::{LoadedAccessKey, LoadedKey, LoadedPolicy};
use crate::records::{self, Account, HexName, Meta, Policy, Revoked, Ring, Sealed, User, at};
use crate::region::Regions;
use crate::tag::TagProfile;
use crate::workers::Workers;

/// How much of each thing there may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Keys of one account in one region that are not pending deletion.
    pub keys_per_ring: u64,
    /// What tags may look like.
    pub tags: TagProfile,
    /// How long a bearer token lasts, in seconds.
    pub token_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { keys_per_ring: 200, tags: TagProfile::Classic, token_seconds: 86_400 }
    }
}

/// One store with its root key, its clock, and its decoded hot state.
pub struct Authority {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) limits: Limits,
    pub(crate) regions: Regions,
    pub(crate) workers: Workers,
    pub(crate) caches: Arc<Caches>,
    root: RootKey,
    rings: RwLock<HashMap<RingId, Arc<RingKey>>>,
    turns: Vec<Mutex<()>>,
    /// Without a secret of its own, so that a simulation takes turns as it did before. Nobody gains by choosing a slot: ids are ours.
    hasher: BuildHasherDefault<DefaultHasher>,
}

/// What is decoded of the store.
pub(crate) struct Caches {
    pub(crate) access_keys: Cache<String, LoadedAccessKey>,
    pub(crate) accounts: Cache<AccountId, Account>,
    pub(crate) hex: Cache<HexId, HexName>,
    pub(crate) keys: Cache<KeyId, LoadedKey>,
    pub(crate) policies: Cache<PolicyId, LoadedPolicy>,
    /// Whether a token was revoked; only tokens that are otherwise good come here.
    pub(crate) revoked: Cache<[u8; 16], bool>,
    pub(crate) users: Cache<UserId, User>,
}

/// Most decoded records of each kind.
const CACHED: usize = 1 << 20;
/// How many writers of different records go on at once on this node.
const TURNS: usize = 1024;

impl Authority {
    /// Opens the authority over a store. A store that knows another root key is refused.
    pub async fn open(
        engine: Arc<dyn Engine>,
        root: RootKey,
        regions: Regions,
        limits: Limits,
        clock: Clock,
        entropy: Entropy,
    ) -> Result<Self, OpenError> {
        let caches = Arc::new(Caches::new());
        let observed = Arc::clone(&caches);
        engine.observe(Arc::new(move |change| observed.observe(change)));
        let authority = Self {
            engine,
            clock,
            entropy,
            limits,
            regions,
            workers: Workers::new(),
            caches,
            root,
            rings: RwLock::default(),
            turns: (0..TURNS).map(|_| Mutex::new(())).collect(),
            hasher: BuildHasherDefault::default(),
        };
        authority.check_root().await?;
        Ok(authority)
    }

    async fn check_root(&self) -> Result<(), OpenError> {
        let mut tx = self.tx();
        let fingerprint = claviger_crypto::hex_lower(&self.root.id());
        // Read in the same transaction: no store is begun where a dump is being restored.
        if tx.get(&at::restoring()).await.map_err(Fault::from)?.is_some() {
            return Err(OpenError::Restoring);
        }
        match tx.get(&at::meta()).await.map_err(Fault::from)? {
            Some(value) => {
                let meta: Meta = records::decode(&value)?;
                if meta.root != fingerprint {
                    return Err(OpenError::OtherRoot { given: fingerprint, expected: meta.root });
                }
            }
            None => {
                let meta = Meta { v: 1, created: self.clock.now(), root: fingerprint };
                tx.put(at::meta(), records::encode(&meta));
                match tx.commit().await {
                    // Another node that begins at the same time was first: its root key counts.
                    Err(StoreError::Conflict) => return Box::pin(self.check_root()).await,
                    outcome => drop(outcome.map_err(Fault::from)?),
                }
            }
        }
        Ok(())
    }

    /// A new transaction.
    pub(crate) fn tx(&self) -> Tx<'_> {
        Tx::new(&*self.engine)
    }

    /// Waits for this node's turn to write what `id` names, so that writers of one record queue instead of colliding.
    pub(crate) async fn turn(&self, id: impl Hash) -> MutexGuard<'_, ()> {
        let slot = usize::try_from(self.hasher.hash_one(id) % TURNS as u64).unwrap_or_default();
        match self.turns.get(slot) {
            Some(turn) => turn.lock().await,
            None => unreachable!("a remainder of TURNS is an index into TURNS turns"),
        }
    }

    /// The clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where chance comes from.
    pub const fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    /// Our regions.
    pub const fn regions(&self) -> &Regions {
        &self.regions
    }

    /// The limits in force.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The store beneath.
    pub fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// Hits and misses of the caches of access keys and of keys.
    pub fn cache_counts(&self) -> [(&'static str, (u64, u64)); 3] {
        [
            ("access_key", self.caches.access_keys.counts()),
            ("key", self.caches.keys.counts()),
            ("user", self.caches.users.counts()),
        ]
    }

    /// An account by its number.
    pub async fn account(&self, id: AccountId) -> Result<Option<Arc<Account>>, Fault> {
        self.plain(&self.caches.accounts, id, at::account(id)).await
    }

    /// A user by its number.
    pub async fn user(&self, id: UserId) -> Result<Option<Arc<User>>, Fault> {
        self.plain(&self.caches.users, id, at::user(id)).await
    }

    /// What a hex id names.
    pub async fn hex(&self, id: HexId) -> Result<Option<Arc<HexName>>, Fault> {
        self.plain(&self.caches.hex, id, at::hex(id)).await
    }

    /// An access key by its id, with its secret opened. For verifying signatures; whether it may be used is for
    /// [`Authority::caller`] to say.
    pub async fn access_key(&self, id: &str) -> Result<Option<Arc<LoadedAccessKey>>, Fault> {
        if let Some(found) = self.caches.access_keys.find(&id.to_owned()) {
            return Ok(Some(found));
        }
        let read = self.engine.get(&at::access_key(id)).await?;
        let Some(stored) = read.stored else { return Ok(None) };
        let record: records::AccessKey = records::decode(&stored.value)?;
        let ring = self.ring(&RingId { account: record.account, region: RegionId::global() }).await?;
        let secret = open(&ring, &label::access_key(&record.id, record.account), &record.secret)?;
        let loaded = Arc::new(LoadedAccessKey::new(record, secret));
        self.caches.access_keys.fill(&id.to_owned(), read.at, &loaded);
        Ok(Some(loaded))
    }

    /// A policy by its number, compiled.
    pub(crate) async fn policy(&self, id: PolicyId) -> Result<Option<Arc<LoadedPolicy>>, Fault> {
        if let Some(preset) = crate::preset::find(id) {
            return Ok(Some(preset));
        }
        if let Some(found) = self.caches.policies.find(&id) {
            return Ok(Some(found));
        }
        let read = self.engine.get(&at::policy(id)).await?;
        let Some(stored) = read.stored else { return Ok(None) };
        let loaded = Arc::new(LoadedPolicy::new(records::decode::<Policy>(&stored.value)?));
        self.caches.policies.fill(&id, read.at, &loaded);
        Ok(Some(loaded))
    }

    /// A key by its id, with its material opened. Unchecked: see `Cx::key`.
    pub(crate) async fn key(&self, id: KeyId) -> Result<Option<Arc<LoadedKey>>, Fault> {
        if let Some(found) = self.caches.keys.find(&id) {
            return Ok(Some(found));
        }
        let read = self.engine.get(&at::key(id)).await?;
        let Some(stored) = read.stored else { return Ok(None) };
        let key: crate::key::Key = records::decode(&stored.value)?;
        let ring = self.ring(&key.ring()).await?;
        let loaded = Arc::new(LoadedKey::open(key, &ring)?);
        self.caches.keys.fill(&id, read.at, &loaded);
        Ok(Some(loaded))
    }

    /// Whether a token was revoked.
    pub(crate) async fn is_revoked(&self, token: [u8; 16]) -> Result<bool, Fault> {
        if let Some(found) = self.caches.revoked.find(&token) {
            return Ok(*found);
        }
        let read = self.engine.get(&at::revoked(token)).await?;
        let revoked = match read.stored {
            Some(stored) => records::decode::<Revoked>(&stored.value).map(|_| true)?,
            None => false,
        };
        self.caches.revoked.fill(&token, read.at, &Arc::new(revoked));
        Ok(revoked)
    }

    async fn plain<K, V>(&self, cache: &Cache<K, V>, id: K, place: Vec<u8>) -> Result<Option<Arc<V>>, Fault>
    where
        K: Hash + Eq + Clone,
        V: serde::de::DeserializeOwned,
    {
        if let Some(found) = cache.find(&id) {
            return Ok(Some(found));
        }
        let read = self.engine.get(&place).await?;
        let Some(stored) = read.stored else { return Ok(None) };
        let value = Arc::new(records::decode(&stored.value)?);
        cache.fill(&id, read.at, &value);
        Ok(Some(value))
    }

    /// The key that wraps a ring; made on first use.
    pub(crate) async fn ring(&self, id: &RingId) -> Result<Arc<RingKey>, Fault> {
        let known = self.rings.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(ring) = known {
            return Ok(ring);
        }
        let place = at::ring(id);
        let ring = match self.engine.get(&place).await?.stored {
            Some(stored) => self.unwrap(id, &records::decode::<Ring>(&stored.value)?)?,
            None => self.make_ring(id, &place).await?,
        };
        let ring = Arc::new(ring);
        self.rings.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), Arc::clone(&ring));
        Ok(ring)
    }

    /// Takes no turn: whoever makes a key has the ring's already. Of two that make a ring at once one is too late, and is run again.
    async fn make_ring(&self, id: &RingId, place: &[u8]) -> Result<RingKey, Fault> {
        let ring = RingKey::generate(&self.entropy);
        let sealed = Sealed(self.root.wrap_ring(&self.entropy, &ring, &label::ring(id)));
        let mut tx = self.tx();
        tx.expect_absent(place);
        tx.put(place, records::encode(&Ring { v: 1, sealed }));
        tx.commit().await?;
        Ok(ring)
    }

    fn unwrap(&self, id: &RingId, ring: &Ring) -> Result<RingKey, Fault> {
        self.root.unwrap_ring(&ring.sealed.0, &label::ring(id)).map_err(|error| {
            tracing::error!(%error, "a ring key does not open under this root key");
            Fault::Internal
        })
    }
}

/// Why a store cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store is wrapped by another root key.
    #[error("this store belongs to root key {expected}, but root key {given} was given; nothing was changed")]
    OtherRoot {
        /// The fingerprint of the root key that was given.
        given: String,
        /// The fingerprint of the root key that the store was made with.
        expected: String,
    },
    /// The store is being filled from a dump.
    #[error("a dump is being restored into this store, and it is not whole")]
    Restoring,
    /// The store failed; the cause is in the log.
    #[error("the store cannot be read; see the log")]
    Store(Fault),
}

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> Self {
        Self::Store(fault)
    }
}

/// Opens sealed bytes that must open: failing to is corruption or a wrong key, never the caller's doing.
pub(crate) fn open(ring: &RingKey, label: &[u8], sealed: &Sealed) -> Result<Secret, Fault> {
    ring.open(label, &sealed.0).map_err(|error| {
        tracing::error!(%error, label = %String::from_utf8_lossy(label), "sealed bytes do not open");
        Fault::Internal
    })
}

impl Caches {
    fn new() -> Self {
        Self {
            access_keys: Cache::new(CACHED),
            accounts: Cache::new(CACHED),
            hex: Cache::new(CACHED),
            keys: Cache::new(CACHED),
            policies: Cache::new(CACHED),
            revoked: Cache::new(CACHED),
            users: Cache::new(CACHED),
        }
    }

    fn observe(&self, change: &Change<'_>) {
        match change {
            Change::Committed { version, keys } => keys.iter().for_each(|key| self.changed(key, *version)),
            Change::Lost { at } => {
                self.access_keys.forget_all(*at);
                self.accounts.forget_all(*at);
                self.hex.forget_all(*at);
                self.keys.forget_all(*at);
                self.policies.forget_all(*at);
                self.revoked.forget_all(*at);
                self.users.forget_all(*at);
            }
        }
    }

    fn changed(&self, place: &[u8], version: Version) {
        let Some((kind, rest)) = place.split_first() else { return };
        let number = || <[u8; 8]>::try_from(rest).map(u64::from_be_bytes);
        let bytes = || <[u8; 16]>::try_from(rest);
        match kind {
            b'a' => drop(number().map(|id| self.accounts.changed(AccountId(id), version))),
            b'c' => self.access_keys.changed(String::from_utf8_lossy(rest).into_owned(), version),
            b'h' => drop(bytes().map(|id| self.hex.changed(HexId(id), version))),
            b'k' => drop(bytes().map(|id| self.keys.changed(KeyId(id), version))),
            b'p' => drop(number().map(|id| self.policies.changed(PolicyId(id), version))),
            b'u' => drop(number().map(|id| self.users.changed(UserId(id), version))),
            b'x' => drop(bytes().map(|id| self.revoked.changed(id, version))),
            _ => {}
        }
    }
}

/// Makes a commit depend on a record that was read through a cache or not at all.
pub(crate) fn expect_absent(tx: &mut Tx<'_>, place: Vec<u8>) {
    tx.expect(place, Expect::Absent);
}
