//! `KeyMetadata`: how KMS shows a key.

use claviger_core::key::{Key, KeySpec, KeyState, Origin};
use claviger_core::records::Account;
use serde::Serialize;

/// One year, the rotation period that is shown while rotation is off.
const ROTATION_SECONDS: u64 = 31_536_000;

/// A key as `DescribeKey` and its like show it. Absent texts are empty, absent numbers 0.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyMetadata {
    key_id: String,
    alias: String,
    create_time: u64,
    description: String,
    key_state: &'static str,
    key_usage: &'static str,
    /// 2: AES-256; 4: SM4.
    r#type: u8,
    creator_uin: u64,
    creator_uin_string: String,
    key_rotation_enabled: bool,
    owner: &'static str,
    next_rotate_time: u64,
    deletion_date: u64,
    origin: &'static str,
    valid_to: u64,
    /// The resource id for tags and policies; not what a binding names.
    resource_id: String,
    hsm_cluster_id: &'static str,
    rotate_days: u64,
    last_rotate_time: u64,
    is_sync_replica: u8,
    source_region: &'static str,
    sync_status: u8,
    sync_messages: &'static str,
    sync_start_time: u64,
    sync_end_time: u64,
    source_hsm_cluster_id: &'static str,
    account_app_id: u64,
    account_uin: u64,
    account_name: String,
}

impl KeyMetadata {
    /// Shows a key of an account.
    pub(super) fn new(key: &Key, account: &Account) -> Self {
        Self {
            key_id: key.id.to_string(),
            alias: key.alias.clone(),
            create_time: key.created.seconds(),
            description: key.description.clone(),
            key_state: state(key.state),
            key_usage: "ENCRYPT_DECRYPT",
            r#type: match key.spec {
                KeySpec::Aes256 => 2,
                KeySpec::Sm4 => 4,
            },
            creator_uin: key.creator.0,
            creator_uin_string: key.creator.0.to_string(),
            key_rotation_enabled: false,
            owner: "user",
            next_rotate_time: key.created.seconds() + ROTATION_SECONDS,
            deletion_date: key.deletion.map_or(0, claviger_core::Moment::seconds),
            origin: origin(key.origin),
            valid_to: key.expires.map_or(0, claviger_core::Moment::seconds),
            resource_id: format!("creatorUin/{}/{}", key.creator.0, key.id),
            hsm_cluster_id: "",
            rotate_days: 0,
            last_rotate_time: 0,
            is_sync_replica: 0,
            source_region: "",
            sync_status: 0,
            sync_messages: "",
            sync_start_time: 0,
            sync_end_time: 0,
            source_hsm_cluster_id: "",
            account_app_id: account.app_id,
            account_uin: account.id.0,
            account_name: String::new(),
        }
    }
}

/// A state's name.
pub(super) const fn state(state: KeyState) -> &'static str {
    match state {
        KeyState::Disabled => "Disabled",
        KeyState::Enabled => "Enabled",
        KeyState::PendingDeletion => "PendingDelete",
        KeyState::PendingImport => "PendingImport",
    }
}

/// An origin's name.
pub(super) const fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::External => "EXTERNAL",
        Origin::Internal => "TENCENT_KMS",
    }
}
