//! Making what is declared and missing.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use claviger_core::account::NewAccount;
use claviger_core::key::create::NewKey;
use claviger_core::permission::Language;
use claviger_core::policies::NewPolicy;
use claviger_core::records::{self, at};
use claviger_core::tag::Tag;
use claviger_core::user::NewUser;
use claviger_core::{AccountId, Authority, Fault, RingId, UserId};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::check::check;
use super::stored::{self, exists, failed};
use super::{AccessKey, Account, Key, Policy, Seed, Status, User, bulk};
use crate::dialects;

/// Accounts made at the same time, so that they share the store's durable writes.
const AT_ONCE: usize = 16;

/// Makes what is declared and missing.
///
/// # Errors
/// A declaration that contradicts the store, or itself; nothing was written then. Otherwise a failure of the store.
pub async fn apply(authority: &Arc<Authority>, seed: Seed) -> Result<()> {
    check(authority, &seed).await?;
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for account in seed.accounts {
        let (authority, places) = (Arc::clone(authority), Arc::clone(&places));
        running.spawn(async move {
            let _place = places.acquire().await;
            let name = format!("account {} ({})", account.uin, account.domain_name);
            make_account(&authority, account).await.context(name)
        });
    }
    while let Some(made) = running.join_next().await {
        made.map_err(|error| anyhow!("seeding did not come to its end: {error}"))??;
    }
    Ok(())
}

async fn make_account(authority: &Authority, account: Account) -> Result<()> {
    let id = AccountId(account.uin);
    if done("reading the account", authority.account(id).await)?.is_none() {
        let new = NewAccount {
            name: account.domain_name,
            id: Some(id),
            app_id: Some(account.app_id),
            hex: Some(account.domain_id),
            root_hex: account.user_id,
            project: Some(account.project_id),
            password: account.password,
        };
        done("making the account", authority.add_account(new).await)?;
    }
    make_access_keys(authority, UserId(id.0), account.access_keys).await?;
    for policy in account.policies {
        make_policy(authority, id, policy).await?;
    }
    for user in account.users {
        make_user(authority, id, user).await?;
    }
    let ring = RingId { account: id, region: authority.regions().first().id.clone() };
    for key in account.keys {
        make_key(authority, &ring, key).await?;
    }
    let keys = account.bulk.iter().fold(0, |sum: u32, bulk| sum.saturating_add(bulk.keys));
    bulk::make(authority, &ring, keys).await
}

async fn make_access_keys(authority: &Authority, owner: UserId, access_keys: Vec<AccessKey>) -> Result<()> {
    for AccessKey { id, secret, status } in access_keys {
        if exists(authority, &at::access_key(&id)).await? {
            continue;
        }
        let user = user(authority, owner).await?;
        let active = status == Status::Active;
        let made = authority.add_access_key(&user, id.clone(), &secret, active, String::new()).await;
        done(&format!("making access key {id}"), made)?;
    }
    Ok(())
}

async fn make_policy(authority: &Authority, account: AccountId, policy: Policy) -> Result<()> {
    if stored::policy(authority, account, &policy.name).await?.is_some() {
        return Ok(());
    }
    let doing = format!("making policy `{}`", policy.name);
    let statements = done(&doing, dialects::parse_policy(&policy.document).map_err(Fault::from))?;
    let new = NewPolicy {
        name: policy.name,
        description: policy.description,
        language: Language::Cam2,
        document: policy.document,
        statements,
    };
    done(&doing, authority.add_policy(account, new).await)?;
    Ok(())
}

async fn make_user(authority: &Authority, account: AccountId, user: User) -> Result<()> {
    let id = UserId(user.uin);
    let doing = format!("making user {} ({})", user.uin, user.name);
    if done(&doing, authority.user(id).await)?.is_none() {
        let new = NewUser {
            name: user.name,
            remark: String::new(),
            id: Some(id),
            hex: user.user_id,
            password: user.password,
            profile: BTreeMap::new(),
        };
        done(&doing, authority.add_user(account, new).await)?;
    }
    for name in user.policies {
        let policy = done(&doing, authority.policy_named(account, &name).await)?;
        let policy =
            policy.with_context(|| format!("policy `{name}` went away while user {} was made", id.0))?;
        done(&doing, authority.attach(id, policy).await)?;
    }
    make_access_keys(authority, id, user.access_keys).await
}

async fn make_key(authority: &Authority, ring: &RingId, key: Key) -> Result<()> {
    if exists(authority, &at::key(key.id)).await? {
        return Ok(());
    }
    let new = NewKey {
        alias: key.alias,
        description: key.description,
        spec: None,
        origin: key.origin.into(),
        tags: key.tags.into_iter().map(|(key, value)| Tag { key, value }).collect(),
    };
    let root = UserId(ring.account.0);
    done(&format!("making key {}", key.id), authority.create_key(ring, key.id, root, new).await)?;
    Ok(())
}

async fn user(authority: &Authority, id: UserId) -> Result<Arc<records::User>> {
    let user = done("reading a user", authority.user(id).await)?;
    user.with_context(|| format!("user {} went away while it was made", id.0))
}

fn done<T>(doing: &str, outcome: Result<T, Fault>) -> Result<T> {
    outcome.map_err(|fault| failed(doing, &fault))
}
