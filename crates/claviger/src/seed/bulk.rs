//! Very many keys at once.

use anyhow::Result;
use claviger_core::key::create::NewKey;
use claviger_core::key::{Key, Origin};
use claviger_core::records::at;
use claviger_core::{AccountId, Authority, KeyId, RingId, UserId, sha256};

use super::stored::{exists, failed};
use crate::progress::Progress;

/// Keys per commit: three records each, and one for all of them, fit the bound of every engine.
const STEP: usize = 40;
/// From so many keys on, progress is shown.
const MANY: u32 = 1000;

/// Makes those of `count` keys that are missing.
pub(super) async fn make(authority: &Authority, ring: &RingId, count: u32) -> Result<()> {
    let progress = if count >= MANY { Progress::of(count.into(), "keys") } else { Progress::none() };
    let mut keys = Vec::with_capacity(STEP);
    for number in 0..count {
        let id = id(ring.account, number);
        if !exists(authority, &at::key(id)).await? {
            keys.push(build(authority, ring, id, number).await?);
        }
        if keys.len() == STEP {
            put(authority, ring, &mut keys).await?;
        }
        progress.add(1);
    }
    put(authority, ring, &mut keys).await
}

/// The id of the account's key `number`: a UUID of version 8 (RFC 9562, section 5.8) out of a SHA-256.
pub(super) fn id(account: AccountId, number: u32) -> KeyId {
    let digest = sha256(&[b"claviger/bulk/", &account.0.to_be_bytes(), &number.to_be_bytes()]);
    let mut id: [u8; 16] = *digest.first_chunk().expect("a SHA-256 has 32 bytes");
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut id;
    *version = (*version & 0x0f) | 0x80;
    *variant = (*variant & 0x3f) | 0x80;
    KeyId(id)
}

async fn build(authority: &Authority, ring: &RingId, id: KeyId, number: u32) -> Result<Key> {
    let new = NewKey {
        alias: format!("bulk-{number:06}"),
        description: String::new(),
        spec: None,
        origin: Origin::Internal,
        tags: Vec::new(),
    };
    let root = UserId(ring.account.0);
    authority.build_key(ring, id, root, new).await.map_err(|fault| failed("making a key", &fault))
}

async fn put(authority: &Authority, ring: &RingId, keys: &mut Vec<Key>) -> Result<()> {
    if !keys.is_empty() {
        authority.put_keys(ring, keys).await.map_err(|fault| failed("storing keys", &fault))?;
        keys.clear();
    }
    Ok(())
}
