//! The tenant's repository encryption setting, as answers show it.

use claviger_core::key::{Key, KeySpec, KeyState};
use claviger_core::records::Setting;
use claviger_core::{Cx, HexId, KeyId};
use serde::Serialize;

use crate::wire::region_name;

/// The setting. What is not known is null.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    cmk_key_id: Option<KeyId>,
    cmk_key_name: Option<String>,
    default_encryption_enabled: bool,
    encryption_type: Option<&'static str>,
    id: Option<u32>,
    key_state: Option<u8>,
    region: String,
    /// Not documented beyond its name.
    region_type: (),
    tenant_id: HexId,
}

impl Shown {
    /// A tenant's setting, none if nothing was ever set. The name and state are the key's as it is now.
    pub(super) fn new(cx: &Cx<'_>, tenant_id: HexId, setting: Option<(Setting, Option<Key>)>) -> Self {
        let (setting, key) = setting.unzip();
        let (setting, key) = (setting.as_ref(), key.flatten());
        Self {
            cmk_key_id: setting.and_then(|setting| setting.key),
            default_encryption_enabled: setting.is_some_and(|setting| setting.by_default),
            encryption_type: setting.map(|setting| if setting.key.is_some() { "KMS" } else { "normal" }),
            id: setting.map(|setting| setting.number),
            key_state: key.as_ref().map(|key| state_number(key.state)),
            cmk_key_name: key.map(|key| key.alias),
            region: region_name(cx.authority, &cx.region),
            region_type: (),
            tenant_id,
        }
    }
}

/// A key's state as a number. 1, awaiting activation, is none of ours.
pub(super) const fn state_number(state: KeyState) -> u8 {
    match state {
        KeyState::Enabled => 2,
        KeyState::Disabled => 3,
        KeyState::PendingDeletion => 4,
        KeyState::PendingImport => 5,
    }
}

/// Whether a key can encrypt repositories: it must be symmetric.
pub(super) const fn suits(spec: KeySpec) -> bool {
    match spec {
        KeySpec::Aes256 | KeySpec::Sm4 => true,
    }
}
