//! How a key looks on this wire.

use claviger_core::Cx;
use claviger_core::key::{Key, KeySpec, KeyState, Origin};
use claviger_core::{Fault, Moment};
use serde::Serialize;

use crate::wire::region_name;

/// A key's metadata. Every member is a text, numbers and truth values too; what does not apply is empty.
#[derive(Debug, Serialize)]
pub(super) struct KeyInfo {
    key_id: String,
    domain_id: String,
    key_alias: String,
    realm: String,
    key_spec: &'static str,
    key_usage: &'static str,
    key_description: String,
    creation_date: String,
    scheduled_deletion_date: String,
    key_state: &'static str,
    default_key_flag: &'static str,
    key_type: &'static str,
    expiration_time: String,
    origin: &'static str,
    key_rotation_enabled: &'static str,
    sys_enterprise_project_id: &'static str,
    keystore_id: &'static str,
}

impl KeyInfo {
    /// Of a key of the caller's account.
    pub(super) fn new(cx: &Cx<'_>, key: &Key) -> Result<Self, Fault> {
        Ok(Self {
            key_id: key.id.to_string(),
            domain_id: cx.caller()?.account.hex.to_string(),
            key_alias: key.alias.clone(),
            realm: region_name(cx.authority, &key.region),
            key_spec: spec(key.spec),
            key_usage: "ENCRYPT_DECRYPT",
            key_description: key.description.clone(),
            creation_date: millis(Some(key.created)),
            scheduled_deletion_date: millis(key.deletion),
            key_state: state(key.state),
            default_key_flag: "0",
            key_type: "1",
            expiration_time: millis(key.expires),
            origin: match key.origin {
                Origin::External => "external",
                Origin::Internal => "kms",
            },
            key_rotation_enabled: "false",
            sys_enterprise_project_id: "0",
            keystore_id: "0",
        })
    }
}

/// What a change of state answers, alone or inside `key_info`.
#[derive(Debug, Serialize)]
pub(super) struct StateOf {
    key_id: String,
    key_state: &'static str,
}

impl StateOf {
    pub(super) fn new(key: &Key) -> Self {
        Self { key_id: key.id.to_string(), key_state: state(key.state) }
    }
}

/// What wraps most answers about one key.
#[derive(Debug, Serialize)]
pub(super) struct Wrapped<T> {
    pub(super) key_info: T,
}

/// The digit of a state.
pub(super) const fn state(state: KeyState) -> &'static str {
    match state {
        KeyState::Enabled => "2",
        KeyState::Disabled => "3",
        KeyState::PendingDeletion => "4",
        KeyState::PendingImport => "5",
    }
}

/// The name of a specification.
pub(super) const fn spec(spec: KeySpec) -> &'static str {
    match spec {
        KeySpec::Aes256 => "AES_256",
        KeySpec::Sm4 => "SM4",
    }
}

/// Milliseconds as a text; the pages say seconds, their examples and the service do not.
fn millis(at: Option<Moment>) -> String {
    at.map(|at| at.millis().to_string()).unwrap_or_default()
}
