//! What the store says about things that a seed declares.

use anyhow::{Result, anyhow};
use claviger_core::records::{self, at};
use claviger_core::{AccountId, Authority, Fault, KeyId, PolicyId, RingId};
use serde::de::DeserializeOwned;

/// A fault of the authority while seeding, in words.
pub(super) fn failed(doing: &str, fault: &Fault) -> anyhow::Error {
    anyhow!("{doing} failed ({fault:?}); the log above says why")
}

/// A policy of an account by name; not a preset.
pub(super) async fn policy(
    authority: &Authority,
    account: AccountId,
    name: &str,
) -> Result<Option<records::Policy>> {
    let id =
        authority.policy_named(account, name).await.map_err(|fault| failed("reading a policy", &fault))?;
    match id.filter(|id| id.0 >= PolicyId::FIRST_CUSTOM) {
        Some(id) => record(authority, &at::policy(id)).await,
        None => Ok(None),
    }
}

/// A key.
pub(super) async fn key(authority: &Authority, id: KeyId) -> Result<Option<claviger_core::key::Key>> {
    record(authority, &at::key(id)).await
}

/// The key that has an alias in a ring.
pub(super) async fn key_with_alias(
    authority: &Authority,
    ring: &RingId,
    alias: &str,
) -> Result<Option<KeyId>> {
    let points: Option<records::Points<KeyId>> = record(authority, &at::alias(ring, alias)).await?;
    Ok(points.map(|points| points.to))
}

/// Whether there is a record.
pub(super) async fn exists(authority: &Authority, place: &[u8]) -> Result<bool> {
    Ok(authority.engine().get(place).await?.stored.is_some())
}

async fn record<T: DeserializeOwned>(authority: &Authority, place: &[u8]) -> Result<Option<T>> {
    let Some(stored) = authority.engine().get(place).await?.stored else { return Ok(None) };
    records::decode(&stored.value).map(Some).map_err(|fault| failed("reading a record", &fault))
}
