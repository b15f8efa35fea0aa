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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn key(state: KeyState, origin: Origin) -> Key {
        let material = Sealed(vec![1]);
        let has_material = state != KeyState::PendingImport;
        Key {
            v: 1,
            id: KeyId([7; 16]),
            account: AccountId(1),
            region: RegionId::parse("local").expect("a good name"),
            creator: UserId(1),
            alias: "a".into(),
            description: String::new(),
            spec: KeySpec::Aes256,
            origin,
            state,
            created: Moment::from_millis(0),
            deletion: (state == KeyState::PendingDeletion).then(|| Moment::from_seconds(100)),
            expires: None,
            tags: Vec::new(),
            bindings: 0,
            versions: has_material
                .then(|| KeyVersion { number: 1, created: Moment::default(), material })
                .into_iter()
                .collect(),
            imported: None,
        }
    }

    type Step = fn(&mut Key) -> Result<(), Fault>;
    /// A step's name, the step, the key's origin, and what comes of it in each state.
    type Row = (&'static str, Step, Origin, [Result<KeyState, KeyFault>; 4]);

    /// Every step from every state, free and bound: the whole life as a table.
    #[test]
    fn the_life_of_a_key() {
        use KeyFault::{AlreadyPendingDeletion, InUse, NotExternal, NotPendingDeletion, StateForbids};
        use KeyState::{Disabled, Enabled, PendingDeletion, PendingImport};
        let enable: Step = |key| key.enable().map(drop);
        let disable: Step = |key| key.disable().map(drop);
        let schedule: Step = |key| key.schedule_deletion(Moment::from_seconds(10), 7).map(drop);
        let cancel: Step = |key| key.cancel_deletion(Moment::from_seconds(10));
        let strip: Step = Key::delete_material;
        let hold: Step = Key::hold;
        let import: Step = |key| key.import(Sealed(vec![2]), Moment::from_seconds(10), None);
        let states = [Enabled, Disabled, PendingDeletion, PendingImport];
        let rows: [Row; 8] = [
            (
                "enable",
                enable,
                Origin::Internal,
                [Ok(Enabled), Ok(Enabled), Err(StateForbids), Err(StateForbids)],
            ),
            (
                "disable",
                disable,
                Origin::Internal,
                [Ok(Disabled), Ok(Disabled), Err(StateForbids), Err(StateForbids)],
            ),
            (
                "schedule",
                schedule,
                Origin::Internal,
                [Ok(PendingDeletion), Ok(PendingDeletion), Err(AlreadyPendingDeletion), Ok(PendingDeletion)],
            ),
            (
                "cancel",
                cancel,
                Origin::Internal,
                [Err(NotPendingDeletion), Err(NotPendingDeletion), Ok(Disabled), Err(NotPendingDeletion)],
            ),
            ("strip ours", strip, Origin::Internal, [Err(NotExternal); 4]),
            (
                "strip theirs",
                strip,
                Origin::External,
                [Ok(PendingImport), Ok(PendingImport), Err(StateForbids), Err(StateForbids)],
            ),
            (
                "hold",
                hold,
                Origin::Internal,
                [Ok(Enabled), Err(StateForbids), Err(StateForbids), Err(StateForbids)],
            ),
            (
                "import",
                import,
                Origin::External,
                [Ok(Enabled), Err(StateForbids), Err(StateForbids), Ok(Enabled)],
            ),
        ];
        for (name, step, origin, expected) in rows {
            for (state, expected) in states.iter().zip(expected) {
                let mut key = key(*state, origin);
                let outcome = step(&mut key).map(|()| key.state);
                assert_eq!(outcome, expected.map_err(Fault::Key), "{name} from {state:?}");
            }
        }
        for (name, step) in [("disable", disable), ("schedule", schedule), ("strip", strip)] {
            let mut key = key(Enabled, Origin::External);
            key.bindings = 1;
            assert_eq!(step(&mut key), Err(InUse.into()), "{name} while bound");
            assert_eq!(key.state, Enabled);
        }
    }

    #[test]
    fn time_takes_keys_and_material() {
        let mut doomed = key(KeyState::PendingDeletion, Origin::Internal);
        doomed.deletion = Some(Moment::from_seconds(100));
        assert!(doomed.clone().settle(Moment::from_millis(99_999)).is_some());
        assert!(doomed.settle(Moment::from_seconds(100)).is_none());

        let mut lent = key(KeyState::Enabled, Origin::External);
        lent.expires = Some(Moment::from_seconds(100));
        let before = lent.clone().settle(Moment::from_millis(99_999));
        assert_eq!(before.map(|key| key.state), Some(KeyState::Enabled));
        let after = lent.clone().settle(Moment::from_seconds(100)).expect("only its material goes");
        assert_eq!((after.state, after.versions.len()), (KeyState::PendingImport, 0));

        lent.hold().expect("an enabled key can be bound");
        assert_eq!(lent.expires, None, "a bound key never expires");
        lent.import(Sealed(vec![3]), Moment::from_seconds(1), Some(Moment::from_seconds(50)))
            .expect("re-import");
        assert_eq!(lent.expires, None, "not through a new import either");
    }

    #[test]
    fn a_cancelled_key_without_material_awaits_import() {
        let mut key = key(KeyState::PendingImport, Origin::External);
        key.schedule_deletion(Moment::default(), 7).expect("from any state");
        key.cancel_deletion(Moment::default()).expect("pending");
        assert_eq!(key.state, KeyState::PendingImport);
    }

    #[test]
    fn windows_are_bounded() {
        for (days, good) in [(6, false), (7, true), (1096, true), (1097, false)] {
            let outcome =
                key(KeyState::Disabled, Origin::Internal).schedule_deletion(Moment::default(), days);
            assert_eq!(outcome.is_ok(), good, "{days}");
        }
    }
}
