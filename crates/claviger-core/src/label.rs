//! What sealed bytes are bound to: moved or swapped in the store, they do not open.

use crate::ids::{AccountId, KeyId, RingId};

pub(crate) fn ring(id: &RingId) -> Vec<u8> {
    format!("claviger/ring/{}/{}", id.account.0, id.region).into_bytes()
}

pub(crate) fn access_key(id: &str, account: AccountId) -> Vec<u8> {
    format!("claviger/access-key/{}/{id}", account.0).into_bytes()
}

pub(crate) fn material(id: KeyId, version: u32) -> Vec<u8> {
    format!("claviger/material/{id}/{version}").into_bytes()
}

pub(crate) fn imported(id: KeyId) -> Vec<u8> {
    format!("claviger/imported/{id}").into_bytes()
}

pub(crate) fn import_token(id: KeyId) -> Vec<u8> {
    format!("claviger/import-token/{id}").into_bytes()
}

pub(crate) fn token(account: AccountId) -> Vec<u8> {
    format!("claviger/token/{}", account.0).into_bytes()
}
