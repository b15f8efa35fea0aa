//! Services of the cloud that use an account's keys: the account's leave, and the key each holds.

use crate::cx::{Cx, Granted};
use crate::fault::{Fault, KeyFault};
use crate::ids::{KeyId, RingId};
use crate::key::edit::Staged;
use crate::key::{Key, KeyState};
use crate::permission::Permission;
use crate::records::at::Held;
use crate::records::{self, Account, Delegation, Setting, at};
use std::sync::Arc;

/// How a service shall encrypt in a ring from now on. Absent members stay as they are.
#[derive(Clone, Debug, Default)]
pub struct SettingChange {
    /// The key: `Some(None)` for none.
    pub key: Option<Option<KeyId>>,
    /// Whether it encrypts what is new without being asked.
    pub by_default: Option<bool>,
}

impl Cx<'_> {
    /// Gives `service` leave to use the account's keys; once is enough.
    pub async fn delegate(&self, account: &Granted<Arc<Account>>, service: &str) -> Result<(), Fault> {
        self.touch(|| format!("service/{service}"));
        let place = at::delegation(account.id, service);
        let mut tx = self.authority.tx();
        if tx.get(&place).await?.is_none() {
            let delegation = Delegation {
                v: records::FORMAT,
                service: service.to_owned(),
                created: self.now,
                creator: self.caller()?.user.id,
            };
            tx.put(place, records::encode(&delegation));
        }
        tx.commit().await?;
        Ok(())
    }

    /// Whether `service` has leave to use the account's keys.
    pub async fn is_delegated(&self, account: &Granted<Arc<Account>>, service: &str) -> Result<bool, Fault> {
        Ok(self.authority.engine.get(&at::delegation(account.id, service)).await?.stored.is_some())
    }

    /// How `service` encrypts in a ring; `None` if nothing was ever said. With it, its key.
    pub async fn setting(
        &self,
        ring: &Granted<RingId>,
        service: &str,
    ) -> Result<Option<(Setting, Option<Key>)>, Fault> {
        let Some(stored) = self.authority.engine.get(&at::setting(ring, service)).await?.stored else {
            return Ok(None);
        };
        let setting: Setting = records::decode(&stored.value)?;
        let key = match setting.key {
            Some(id) => self.authority.key(id).await?.and_then(|loaded| loaded.settled(self.now)),
            None => None,
        };
        Ok(Some((setting, key.map(|loaded| loaded.record().clone()))))
    }

    /// Changes how `service` encrypts in a ring, as `decide` says of the setting that is stored. It can hold a key only with the
    /// account's leave, and only an enabled key that the caller may bind; the key it held before is released.
    ///
    /// `decide` sees what the transaction read: if that changes before the commit, nothing is committed.
    pub async fn change_setting(
        &self,
        ring: &Granted<RingId>,
        service: &str,
        decide: impl FnOnce(&Setting) -> Result<SettingChange, Fault>,
    ) -> Result<(Setting, Option<Key>), Fault> {
        let place = at::setting(ring, service);
        let _turn = self.authority.turn(&place).await;
        let mut tx = self.authority.tx();
        let stored = tx.get(&place).await?;
        let before: Setting = match &stored {
            Some(value) => records::decode(value)?,
            None => {
                let number = u32::try_from(1 + self.authority.entropy.below(i32::MAX as u64)).unwrap_or(1);
                Setting { v: records::FORMAT, number, key: None, by_default: false }
            }
        };
        let change = decide(&before)?;
        let mut after = before.clone();
        after.key = change.key.unwrap_or(before.key);
        after.by_default = change.by_default.unwrap_or(before.by_default) && after.key.is_some();
        if after.key.is_some() && tx.get(&at::delegation(ring.account, service)).await?.is_none() {
            return Err(Fault::DelegationMissing);
        }
        let resource = ring.account.0.to_string();
        let mut held = None;
        if after.key != before.key {
            if let Some(id) = before.key {
                let mut edit = self.edit_within(id, Permission::KeyUnbind, tx).await?;
                edit.unbind(Held::ByService, service, &resource).await?;
                tx = edit.stage().await?.tx;
            }
            if let Some(id) = after.key {
                let mut edit = self.edit_within(id, Permission::KeyBind, tx).await?;
                edit.bind(Held::ByService, service, &resource).await?;
                let staged: Staged<'_> = edit.stage().await?;
                (tx, held) = (staged.tx, Some(staged.key));
            }
        } else if let Some(id) = after.key {
            let key = self.authority.key(id).await?.ok_or(Fault::Key(KeyFault::NotFound))?;
            held = key.settled(self.now).map(|key| key.record().clone());
            if held.as_ref().is_some_and(|key| key.state != KeyState::Enabled) {
                return Err(KeyFault::StateForbids.into());
            }
        }
        tx.put(place, records::encode(&after));
        tx.commit().await?;
        Ok((after, held))
    }
}
