//! Access keys: at most two per user, whatever dialect made them; their secrets are shown once.

use std::sync::Arc;

use claviger_crypto::Secret;
use claviger_store::{StoreError, Tx};

use crate::authority::{Authority, expect_absent};
use crate::clock::Moment;
use crate::cx::{AccessKeyOwner, Cx, Granted};
use crate::fault::{AccessKeyFault, Fault, UserFault};
use crate::ids::{RegionId, RingId, UserId};
use crate::label;
use crate::records::{self, AccessKey, LastUsed, Sealed, User, at};

/// Most access keys of one user.
pub const PER_USER: usize = 2;
/// Longest id of an access key, in bytes.
pub const ID_BYTES: usize = 64;

/// What new access keys look like in a dialect.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// What an id starts with.
    pub prefix: &'static str,
    /// How many random characters follow.
    pub id_chars: usize,
    /// The characters of an id.
    pub id_alphabet: &'static [u8],
    /// How many characters a secret has; they are letters and digits.
    pub secret_chars: usize,
}

/// Letters and digits.
pub const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Upper-case letters and digits.
pub const UPPER_ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// A new access key, the only time its secret is known outside.
#[derive(Debug)]
pub struct Issued {
    /// The record.
    pub record: AccessKey,
    /// The secret.
    pub secret: Secret,
}

impl Cx<'_> {
    /// Makes an access key for a user.
    pub async fn create_access_key(
        &self,
        owner: &Granted<AccessKeyOwner>,
        shape: &Shape,
        description: String,
    ) -> Result<Issued, Fault> {
        self.authority.issue_access_key(&owner.0, shape, description).await
    }

    /// Activates or inactivates an access key of `owner`, and changes its description if one is given. Setting what is
    /// already so changes nothing.
    pub async fn update_access_key(
        &self,
        owner: &Granted<AccessKeyOwner>,
        id: &str,
        active: Option<bool>,
        description: Option<String>,
    ) -> Result<AccessKey, Fault> {
        let _turn = self.authority.turn(id).await;
        let mut tx = self.authority.tx();
        let stored = find(&mut tx, &owner.0, id).await?;
        let mut record = stored.clone();
        record.active = active.unwrap_or(record.active);
        record.description = description.unwrap_or(record.description);
        if (record.active, &record.description) != (stored.active, &stored.description) {
            tx.put(at::access_key(id), records::encode(&record));
        }
        tx.commit().await?;
        Ok(record)
    }

    /// Deletes an access key of `owner`.
    pub async fn delete_access_key(&self, owner: &Granted<AccessKeyOwner>, id: &str) -> Result<(), Fault> {
        let _turn = self.authority.turn(owner.0.id).await;
        let mut tx = self.authority.tx();
        find(&mut tx, &owner.0, id).await?;
        let mut user = stored_user(&mut tx, owner.0.id).await?;
        user.access_keys.retain(|have| have != id);
        tx.put(at::user(user.id), records::encode(&user));
        tx.delete(at::access_key(id));
        tx.delete(at::last_used(id));
        tx.commit().await?;
        Ok(())
    }

    /// The access keys of `owner`, oldest first.
    pub async fn list_access_keys(&self, owner: &Granted<AccessKeyOwner>) -> Result<Vec<AccessKey>, Fault> {
        let mut keys = Vec::new();
        for id in &owner.0.access_keys {
            if let Some(loaded) = self.authority.access_key(id).await? {
                keys.push(loaded.record.clone());
            }
        }
        Ok(keys)
    }

    /// One access key of `owner`.
    pub async fn show_access_key(
        &self,
        owner: &Granted<AccessKeyOwner>,
        id: &str,
    ) -> Result<AccessKey, Fault> {
        find(&mut self.authority.tx(), &owner.0, id).await
    }

    /// Whose access key this is, if anybody's of the caller's account.
    pub async fn owner_of_access_key(&self, id: &str) -> Result<Option<UserId>, Fault> {
        let account = self.caller()?.account.id;
        let found = self.authority.access_key(id).await?;
        Ok(found.filter(|key| key.record.account == account).map(|key| key.record.user))
    }

    /// When an access key of the caller's account was last used, within a minute or so.
    pub async fn access_key_last_used(&self, id: &str) -> Result<Option<Moment>, Fault> {
        let account = self.caller()?.account.id;
        let Some(key) = self.authority.access_key(id).await? else { return Ok(None) };
        if key.record.account != account {
            return Ok(None);
        }
        let stored = self.authority.engine.get(&at::last_used(id)).await?.stored;
        let stored = stored.map(|stored| records::decode::<LastUsed>(&stored.value).map(|used| used.at));
        // On this node, or on another that has saved since.
        Ok(stored.transpose()?.max(key.used()))
    }
}

impl Authority {
    /// Makes an access key for a user; the operator's way too, which no policy binds.
    pub async fn issue_access_key(
        &self,
        user: &User,
        shape: &Shape,
        description: String,
    ) -> Result<Issued, Fault> {
        let random = self.entropy.text(shape.id_alphabet, shape.id_chars);
        let id = format!("{}{random}", shape.prefix);
        let secret = Secret::from(self.entropy.text(ALPHANUMERIC, shape.secret_chars));
        let record = self.add_access_key(user, id, &secret, true, description).await?;
        Ok(Issued { record, secret })
    }

    /// Adds an access key with a given id and secret to a user.
    pub async fn add_access_key(
        &self,
        user: &User,
        id: String,
        secret: &Secret,
        active: bool,
        description: String,
    ) -> Result<AccessKey, Fault> {
        let ring = self.ring(&RingId { account: user.account, region: RegionId::global() }).await?;
        let _turn = self.turn(user.id).await;
        let mut tx = self.tx();
        let mut user = stored_user(&mut tx, user.id).await?;
        if user.access_keys.len() >= PER_USER {
            return Err(AccessKeyFault::Limit.into());
        }
        // Revealed to be sealed.
        let sealed = ring.seal(&self.entropy, &label::access_key(&id, user.account), secret.reveal());
        let record = AccessKey {
            v: records::FORMAT,
            id: id.clone(),
            account: user.account,
            user: user.id,
            active,
            description,
            created: self.clock.now(),
            secret: Sealed(sealed),
        };
        expect_absent(&mut tx, at::access_key(&id));
        tx.put(at::access_key(&id), records::encode(&record));
        user.access_keys.push(id);
        tx.put(at::user(user.id), records::encode(&user));
        tx.commit().await?;
        Ok(record)
    }

    /// Saves when access keys were used; called now and then.
    pub async fn save_last_used(&self) -> Result<(), Fault> {
        let mut used = Vec::new();
        self.caches.access_keys.for_each(|id, key| {
            used.extend(key.unsaved_use().map(|at| (id.clone(), at)));
        });
        for (id, at) in used {
            let mut tx = self.tx();
            let stored = tx.get(&at::last_used(&id)).await?;
            let stored = stored.map(|value| records::decode::<LastUsed>(&value)).transpose()?;
            // Only beside an access key that is still there, and never back to before what another node has saved.
            let there = tx.get(&at::access_key(&id)).await?.is_some();
            if there && stored.is_none_or(|stored| stored.at < at) {
                tx.put(at::last_used(&id), records::encode(&LastUsed { v: records::FORMAT, at }));
                match tx.commit().await {
                    // Another node saves at this moment: it is not known which of the two was later.
                    Err(StoreError::Conflict) => continue,
                    outcome => drop(outcome?),
                }
            }
            if let Some(key) = self.caches.access_keys.find(&id) {
                key.saved(at);
            }
        }
        Ok(())
    }
}

/// The user as it is stored now.
pub(crate) async fn stored_user(tx: &mut Tx<'_>, id: UserId) -> Result<User, Fault> {
    let value = tx.get(&at::user(id)).await?.ok_or(Fault::User(UserFault::NotFound))?;
    records::decode(&value)
}

async fn find(tx: &mut Tx<'_>, owner: &Arc<User>, id: &str) -> Result<AccessKey, Fault> {
    let missing = || Fault::AccessKey(AccessKeyFault::NotFound);
    let value = tx.get(&at::access_key(id)).await?.ok_or_else(missing)?;
    let record: AccessKey = records::decode(&value)?;
    if record.user != owner.id {
        return Err(AccessKeyFault::OfAnotherUser.into());
    }
    Ok(record)
}
