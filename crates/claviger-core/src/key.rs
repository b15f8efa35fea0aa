//! A customer master key: its record and its life.
//!
//! ```text
//! made with our material -> Enabled          made for imported material -> PendingImport
//! PendingImport --import--> Enabled          any with material --taken away or expired--> PendingImport
//! Enabled <--disable, enable--> Disabled     all --schedule--> PendingDeletion --time--> gone
//!                                            PendingDeletion --cancel--> Disabled (without material: PendingImport)
//! ```

pub mod cipher;
pub mod create;
pub mod edit;
pub mod import;
pub mod list;
#[cfg(test)]
mod tests;

use claviger_crypto::Algorithm;
use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::fault::{Fault, KeyFault, MaterialFault};
use crate::ids::{AccountId, KeyId, RegionId, RingId, UserId};
use crate::records::Sealed;
use crate::tag::Tag;

/// A customer master key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Format of this record.
    pub v: u8,
    /// Its id.
    pub id: KeyId,
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub region: RegionId,
    /// Who made it.
    pub creator: UserId,
    /// Its display name, unique in the ring.
    pub alias: String,
    /// A description.
    #[serde(default)]
    pub description: String,
    /// Its algorithm.
    pub spec: KeySpec,
    /// Where its material comes from.
    pub origin: Origin,
    /// Its state; see [`Key::settle`] for what time does to it.
    pub state: KeyState,
    /// When it was made.
    pub created: Moment,
    /// When it goes; only while pending deletion.
    #[serde(default)]
    pub deletion: Option<Moment>,
    /// When imported material expires; absent: never.
    #[serde(default)]
    pub expires: Option<Moment>,
    /// Its tags, oldest first.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// How many resources and services are bound to it. While there are any it stays usable.
    #[serde(default)]
    pub bindings: u32,
    /// Its material, newest version last; empty while it has none.
    #[serde(default)]
    pub versions: Vec<KeyVersion>,
    /// A digest of the material imported first, sealed: later imports must be the same.
    #[serde(default)]
    pub imported: Option<Sealed>,
}

/// One version of a key's material.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyVersion {
    /// Its number, from 1.
    pub number: u32,
    /// When it came to be.
    pub created: Moment,
    /// The material, sealed under the ring.
    pub material: Sealed,
}

/// What a key can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeySpec {
    /// AES with 256 bits, GCM (FIPS 197, NIST SP 800-38D).
    Aes256,
    /// SM4, GCM (GB/T 32907, RFC 8998).
    Sm4,
}

impl KeySpec {
    /// The cipher it uses.
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Self::Aes256 => Algorithm::Aes256Gcm,
            Self::Sm4 => Algorithm::Sm4Gcm,
        }
    }
}

/// Where a key's material comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The owner imports it.
    External,
    /// We make it.
    Internal,
}

/// The states of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// May not be used.
    Disabled,
    /// May be used.
    Enabled,
    /// Will be gone at [`Key::deletion`].
    PendingDeletion,
    /// Has no material yet, or no more.
    PendingImport,
}

/// Whether a call that may be repeated changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It was so already.
    No,
    /// It is so now.
    Yes,
}

impl Key {
    /// Fewest and most days between scheduling a deletion and the deletion, over all dialects; each narrows it further.
    pub const DELETION_DAYS: std::ops::RangeInclusive<u64> = 7..=1096;

    /// The ring it belongs to.
    pub fn ring(&self) -> RingId {
        RingId { account: self.account, region: self.region.clone() }
    }

    /// When something happens to it by itself, if ever.
    pub fn due(&self) -> Option<Moment> {
        match self.state {
            KeyState::PendingDeletion => self.deletion,
            KeyState::Disabled | KeyState::Enabled => self.expires,
            KeyState::PendingImport => None,
        }
    }

    /// Applies what time has done: past its deletion it is gone (`None`), past its expiry it has no material. Called on every
    /// load, so that a key is right to the millisecond whenever the durable sweep comes.
    pub fn settle(mut self, now: Moment) -> Option<Self> {
        match self.due() {
            Some(due) if due <= now => match self.state {
                KeyState::PendingDeletion => None,
                KeyState::Disabled | KeyState::Enabled | KeyState::PendingImport => {
                    self.drop_material();
                    Some(self)
                }
            },
            _ => Some(self),
        }
    }

    /// Whether its material may be used to encrypt and decrypt.
    pub const fn usable(&self) -> Result<(), Fault> {
        match self.state {
            KeyState::Enabled => Ok(()),
            KeyState::Disabled => Err(Fault::Key(KeyFault::Disabled)),
            KeyState::PendingDeletion => Err(Fault::Key(KeyFault::PendingDeletion)),
            KeyState::PendingImport => Err(Fault::Key(KeyFault::PendingImport)),
        }
    }

    /// Disabled → Enabled.
    pub fn enable(&mut self) -> Result<Changed, Fault> {
        self.switch(KeyState::Enabled)
    }

    /// Enabled → Disabled, unless something is bound to it.
    pub fn disable(&mut self) -> Result<Changed, Fault> {
        if self.state == KeyState::Enabled {
            self.free()?;
        }
        self.switch(KeyState::Disabled)
    }

    fn switch(&mut self, to: KeyState) -> Result<Changed, Fault> {
        match self.state {
            state if state == to => Ok(Changed::No),
            KeyState::Disabled | KeyState::Enabled => {
                self.state = to;
                Ok(Changed::Yes)
            }
            KeyState::PendingDeletion | KeyState::PendingImport => Err(KeyFault::StateForbids.into()),
        }
    }

    /// Any state but `PendingDeletion` → `PendingDeletion`, unless something is bound to it.
    pub fn schedule_deletion(&mut self, now: Moment, days: u64) -> Result<Moment, Fault> {
        if !Self::DELETION_DAYS.contains(&days) {
            return Err(KeyFault::DeletionWindowInvalid.into());
        }
        if self.state == KeyState::PendingDeletion {
            return Err(KeyFault::AlreadyPendingDeletion.into());
        }
        self.free()?;
        let deletion = now.plus_seconds(days * 86_400);
        self.state = KeyState::PendingDeletion;
        self.deletion = Some(deletion);
        Ok(deletion)
    }

    /// `PendingDeletion` → `Disabled`, or `PendingImport` where there is no material (any more).
    pub fn cancel_deletion(&mut self, now: Moment) -> Result<(), Fault> {
        if self.state != KeyState::PendingDeletion {
            return Err(KeyFault::NotPendingDeletion.into());
        }
        self.deletion = None;
        self.state = KeyState::Disabled;
        if self.versions.is_empty() || self.expires.is_some_and(|expires| expires <= now) {
            self.drop_material();
        }
        Ok(())
    }

    /// Whether a resource or service may be bound to it now. A bound key never expires.
    pub fn hold(&mut self) -> Result<(), Fault> {
        if self.state != KeyState::Enabled {
            return Err(KeyFault::StateForbids.into());
        }
        if self.bindings >= Self::MOST_BINDINGS {
            return Err(KeyFault::BindingLimit.into());
        }
        self.bindings += 1;
        self.expires = None;
        Ok(())
    }

    /// Most bindings on one key.
    pub const MOST_BINDINGS: u32 = 10_000;

    /// One binding less.
    pub const fn release(&mut self) {
        self.bindings = self.bindings.saturating_sub(1);
    }

    /// Takes imported material away: → `PendingImport`, unless something is bound to it.
    pub fn delete_material(&mut self) -> Result<(), Fault> {
        if self.origin != Origin::External {
            return Err(KeyFault::NotExternal.into());
        }
        match self.state {
            KeyState::Disabled | KeyState::Enabled => {
                self.free()?;
                self.drop_material();
                Ok(())
            }
            KeyState::PendingDeletion | KeyState::PendingImport => Err(KeyFault::StateForbids.into()),
        }
    }

    /// Takes sealed imported material: `PendingImport` → `Enabled`. With material already there only the expiry changes.
    pub fn import(&mut self, material: Sealed, now: Moment, expires: Option<Moment>) -> Result<(), Fault> {
        if expires.is_some_and(|expires| expires <= now) {
            return Err(MaterialFault::ExpiryInvalid.into());
        }
        match self.state {
            KeyState::PendingImport => {
                self.versions = vec![KeyVersion { number: 1, created: now, material }];
                self.state = KeyState::Enabled;
            }
            KeyState::Enabled => {}
            KeyState::Disabled | KeyState::PendingDeletion => return Err(KeyFault::StateForbids.into()),
        }
        // A bound key never expires: a resource that depends on it must not lose it by itself.
        self.expires = expires.filter(|_| self.bindings == 0);
        Ok(())
    }

    fn free(&self) -> Result<(), Fault> {
        if self.bindings == 0 { Ok(()) } else { Err(KeyFault::InUse.into()) }
    }

    fn drop_material(&mut self) {
        self.versions.clear();
        self.expires = None;
        self.state = KeyState::PendingImport;
    }
}
