//! Changing a key: load it in a transaction with the permission checked, change the record, commit what differs.

use claviger_store::Tx;
use tokio::sync::MutexGuard;

use crate::cx::Cx;
use crate::fault::{Fault, KeyFault};
use crate::ids::KeyId;
use crate::key::create::{count_one_less, count_one_more, put_key};
use crate::key::{Key, KeyState};
use crate::label;
use crate::permission::Permission;
use crate::records::at::Held;
use crate::records::{self, Binding, Sealed, at};

/// A key being changed. Nothing happens before [`Edit::commit`].
pub struct Edit<'c> {
    cx: &'c Cx<'c>,
    tx: Tx<'c>,
    stored: Key,
    before: Key,
    /// The key as it will be.
    pub key: Key,
    turn: Option<MutexGuard<'c, ()>>,
}

impl<'c> Cx<'c> {
    /// A key to be changed with this action's permission.
    pub async fn edit(&'c self, id: KeyId) -> Result<Edit<'c>, Fault> {
        self.key_as(id, self.permission()).await?;
        let turn = self.authority.turn(id).await;
        Edit::begin(self, id, self.authority.tx(), Some(turn)).await
    }

    /// A key to be changed within a transaction that changes other things too, with a permission that the action does not
    /// have itself. Takes no turn: the caller has one.
    pub(crate) async fn edit_within(
        &'c self,
        id: KeyId,
        permission: Permission,
        tx: Tx<'c>,
    ) -> Result<Edit<'c>, Fault> {
        self.key_as(id, permission).await?;
        Edit::begin(self, id, tx, None).await
    }
}

impl<'c> Edit<'c> {
    /// The permission is checked before; what is loaded here is the stored truth, not the cache.
    async fn begin(
        cx: &'c Cx<'c>,
        id: KeyId,
        mut tx: Tx<'c>,
        turn: Option<MutexGuard<'c, ()>>,
    ) -> Result<Self, Fault> {
        let missing = || Fault::Key(KeyFault::NotFound);
        let value = tx.get(&at::key(id)).await?.ok_or_else(missing)?;
        let stored: Key = records::decode(&value)?;
        let key = stored.clone().settle(cx.now).ok_or_else(missing)?;
        Ok(Self { cx, tx, stored, before: key.clone(), key, turn })
    }

    /// Binds the key to a resource of a caller, or lets a service hold it. Once is enough: again changes nothing. Whether the
    /// key's state allows it is asked first.
    pub async fn bind(&mut self, held: Held, product: &str, resource: &str) -> Result<(), Fault> {
        let place = at::binding(self.key.id, held, product, resource);
        if self.tx.likely_absent(&place).await?.is_some() {
            // Bound already; the state is asked all the same, as a first binding would.
            return if self.key.state == KeyState::Enabled {
                Ok(())
            } else {
                Err(KeyFault::StateForbids.into())
            };
        }
        self.key.hold()?;
        let binding = Binding {
            v: records::FORMAT,
            product: product.to_owned(),
            resource: resource.to_owned(),
            created: self.cx.now,
            creator: self.cx.caller()?.user.id,
        };
        self.tx.put(place, records::encode(&binding));
        Ok(())
    }

    /// Takes a binding or hold away; it must be there.
    pub async fn unbind(&mut self, held: Held, product: &str, resource: &str) -> Result<(), Fault> {
        let place = at::binding(self.key.id, held, product, resource);
        if self.tx.get(&place).await?.is_none() {
            return Err(KeyFault::BindingNotFound.into());
        }
        self.key.release();
        self.tx.delete(place);
        Ok(())
    }

    /// Seals imported material and makes it the key's. Later imports must bring the same bytes.
    pub(crate) async fn import(
        &mut self,
        material: &claviger_crypto::Secret,
        expires: Option<crate::clock::Moment>,
    ) -> Result<(), Fault> {
        let authority = self.cx.authority;
        let ring = authority.ring(&self.key.ring()).await?;
        let label = label::imported(self.key.id);
        // Revealed to be compared with what was imported before, by digest.
        let digest = claviger_crypto::sha256(&[&label, material.reveal()]);
        match &self.key.imported {
            Some(sealed) => {
                let first = crate::authority::open(&ring, &label, sealed)?;
                // Revealed to be compared in constant time.
                if !claviger_crypto::equal(first.reveal(), &digest) {
                    return Err(crate::fault::MaterialFault::Mismatch.into());
                }
            }
            None => self.key.imported = Some(Sealed(ring.seal(&authority.entropy, &label, &digest))),
        }
        // Revealed to be sealed.
        let sealed = ring.seal(&authority.entropy, &label::material(self.key.id, 1), material.reveal());
        self.key.import(Sealed(sealed), self.cx.now, expires)
    }

    /// Commits what differs; does nothing where nothing does.
    pub async fn commit(self) -> Result<Key, Fault> {
        let Staged { key, tx, turn } = self.stage().await?;
        tx.commit().await?;
        drop(turn);
        Ok(key)
    }

    /// Puts what differs into the transaction and gives it back, for what else is to be committed with it.
    pub(crate) async fn stage(mut self) -> Result<Staged<'c>, Fault> {
        let pending = |key: &Key| key.state == KeyState::PendingDeletion;
        let ring = self.key.ring();
        match (pending(&self.before), pending(&self.key)) {
            (false, true) => count_one_less(&mut self.tx, &ring).await?,
            // A key that comes back counts again; without this the quota could be passed by scheduling and calling off.
            (true, false) => {
                count_one_more(&mut self.tx, &ring, self.cx.authority.limits.keys_per_ring).await?;
            }
            (false, false) | (true, true) => {}
        }
        if self.key != self.stored {
            put_key(&mut self.tx, Some(&self.stored), Some(&self.key));
        }
        Ok(Staged { key: self.key, tx: self.tx, turn: self.turn })
    }
}

/// An edited key whose writes wait in a transaction.
pub(crate) struct Staged<'c> {
    pub(crate) key: Key,
    pub(crate) tx: Tx<'c>,
    turn: Option<MutexGuard<'c, ()>>,
}
