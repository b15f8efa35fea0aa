//! Making a key.

use claviger_crypto::Secret;
use claviger_store::Tx;

use crate::authority::{Authority, expect_absent};
use crate::cx::{Cx, Granted};
use crate::fault::{AliasFault, Fault, KeyFault};
use crate::ids::{KeyId, RingId, UserId};
use crate::key::{Key, KeySpec, KeyState, KeyVersion, Origin};
use crate::label;
use crate::records::{self, Counts, Sealed, at};
use crate::tag::{self, Tag};

/// What a new key is to be. The alias is checked by the dialect, whose rules differ; it is never empty.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Its display name, unique in the ring.
    pub alias: String,
    /// A description.
    pub description: String,
    /// Its algorithm; absent: the region's.
    pub spec: Option<KeySpec>,
    /// Where its material comes from.
    pub origin: Origin,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Longest alias, in bytes, over all dialects.
pub const ALIAS_BYTES: usize = 255;

impl Cx<'_> {
    /// Makes a key in a ring.
    pub async fn create_key(&self, ring: &Granted<RingId>, new: NewKey) -> Result<Key, Fault> {
        let creator = self.caller()?.user.id;
        let id = KeyId(self.authority.entropy.uuid());
        let quota = self.authority.limits.keys_per_ring;
        let key = self.authority.insert_key(ring, id, creator, new, quota).await?;
        self.touch(|| format!("key/{id}"));
        Ok(key)
    }
}

impl Authority {
    /// Makes a key; the operator's way, which neither policies nor quotas bind.
    pub async fn create_key(
        &self,
        ring: &RingId,
        id: KeyId,
        creator: UserId,
        new: NewKey,
    ) -> Result<Key, Fault> {
        self.insert_key(ring, id, creator, new, u64::MAX).await
    }

    async fn insert_key(
        &self,
        ring: &RingId,
        id: KeyId,
        creator: UserId,
        new: NewKey,
        quota: u64,
    ) -> Result<Key, Fault> {
        // One turn per ring: creations there share the count of keys.
        let _turn = self.turn(ring).await;
        let key = self.build_key(ring, id, creator, new).await?;
        let mut tx = self.tx();
        if tx.get(&at::alias(ring, &key.alias)).await?.is_some() {
            return Err(AliasFault::Taken.into());
        }
        count_one_more(&mut tx, ring, quota).await?;
        expect_absent(&mut tx, at::key(id));
        put_key(&mut tx, None, Some(&key));
        tx.commit().await?;
        Ok(key)
    }

    /// Stores many keys made by [`Authority::build_key`] in one commit; the operator's way to fill a store. Keep to 40 at once:
    /// a commit has a bound.
    pub async fn put_keys(&self, ring: &RingId, keys: &[Key]) -> Result<(), Fault> {
        let _turn = self.turn(ring).await;
        let mut tx = self.tx();
        let mut counts = counts(&mut tx, ring).await?;
        for key in keys {
            expect_absent(&mut tx, at::key(key.id));
            expect_absent(&mut tx, at::alias(ring, &key.alias));
            put_key(&mut tx, None, Some(key));
            counts.keys += 1;
        }
        tx.put(at::counts(ring), records::encode(&counts));
        tx.commit().await?;
        Ok(())
    }

    /// A key that is not in the store yet, with its material.
    pub async fn build_key(
        &self,
        ring: &RingId,
        id: KeyId,
        creator: UserId,
        new: NewKey,
    ) -> Result<Key, Fault> {
        let well_formed = (1..=ALIAS_BYTES).contains(&new.alias.len()) && !new.alias.contains('\0');
        if !well_formed {
            return Err(AliasFault::Invalid.into());
        }
        let mut tags = Vec::new();
        tag::set(&mut tags, &new.tags, self.limits.tags)?;
        let region = self.regions.find(&ring.region).ok_or(Fault::Internal)?;
        let spec = new.spec.unwrap_or(region.spec);
        let now = self.clock.now();
        let wrapping = self.ring(ring).await?;
        let (state, versions) = match new.origin {
            Origin::External => (KeyState::PendingImport, Vec::new()),
            Origin::Internal => {
                let material = Secret::random(&self.entropy, spec.algorithm().key_len());
                // Revealed to be sealed.
                let sealed = wrapping.seal(&self.entropy, &label::material(id, 1), material.reveal());
                let version = KeyVersion { number: 1, created: now, material: Sealed(sealed) };
                (KeyState::Enabled, vec![version])
            }
        };
        Ok(Key {
            v: records::FORMAT,
            id,
            account: ring.account,
            region: ring.region.clone(),
            creator,
            alias: new.alias,
            description: new.description,
            spec,
            origin: new.origin,
            state,
            created: now,
            deletion: None,
            expires: None,
            tags,
            bindings: 0,
            versions,
            imported: None,
        })
    }
}

/// Writes a key and its index entries.
pub(crate) fn put_key(tx: &mut Tx<'_>, before: Option<&Key>, after: Option<&Key>) {
    for (place, value) in records::key_writes(before, after) {
        match value {
            Some(value) => tx.put(place, value),
            None => tx.delete(place),
        }
    }
}

/// Counts one more key in a ring, within the quota.
pub(crate) async fn count_one_more(tx: &mut Tx<'_>, ring: &RingId, most: u64) -> Result<(), Fault> {
    let counts = counts(tx, ring).await?;
    if counts.keys >= most {
        return Err(KeyFault::Quota.into());
    }
    tx.put(at::counts(ring), records::encode(&Counts { v: 1, keys: counts.keys + 1 }));
    Ok(())
}

/// Counts one key less in a ring.
pub(crate) async fn count_one_less(tx: &mut Tx<'_>, ring: &RingId) -> Result<(), Fault> {
    let counts = counts(tx, ring).await?;
    tx.put(at::counts(ring), records::encode(&Counts { v: 1, keys: counts.keys.saturating_sub(1) }));
    Ok(())
}

async fn counts(tx: &mut Tx<'_>, ring: &RingId) -> Result<Counts, Fault> {
    match tx.get(&at::counts(ring)).await? {
        Some(value) => records::decode(&value),
        None => Ok(Counts { v: 1, keys: 0 }),
    }
}
