//! Whether what is declared can be true: within the file, and beside what the store holds. Writes nothing.

use std::collections::HashSet;
use std::fmt::Display;
use std::hash::Hash;

use anyhow::{Context as _, Result, bail, ensure};
use claviger_core::access_key::{ID_BYTES, PER_USER};
use claviger_core::key::Origin;
use claviger_core::records::{self, HexName, at};
use claviger_core::{AccountId, Authority, HexId, RingId, UserId};

use super::stored::{self, failed};
use super::{AccessKey, Account, Key, Policy, Seed, User};
use crate::dialects;

/// Refuses a seed that contradicts itself or the store.
pub(super) async fn check(authority: &Authority, seed: &Seed) -> Result<()> {
    check_file(seed)?;
    for account in &seed.accounts {
        let checked = check_account(authority, account).await;
        checked.with_context(|| format!("account {} ({})", account.uin, account.domain_name))?;
    }
    Ok(())
}

/// Everything of which there can be only one.
#[derive(Default)]
struct Once {
    numbers: HashSet<u64>,
    app_ids: HashSet<u64>,
    hex: HashSet<HexId>,
    names: HashSet<String>,
    access_keys: HashSet<String>,
    keys: HashSet<String>,
}

fn once<T: Hash + Eq>(set: &mut HashSet<T>, what: &str, shown: impl Display, value: T) -> Result<()> {
    ensure!(set.insert(value), "{what} `{shown}` is declared twice");
    Ok(())
}

fn check_file(seed: &Seed) -> Result<()> {
    let mut taken = Once::default();
    for account in &seed.accounts {
        once(&mut taken.numbers, "uin", account.uin, account.uin)?;
        once(&mut taken.app_ids, "app_id", account.app_id, account.app_id)?;
        once(&mut taken.names, "domain_name", &account.domain_name, account.domain_name.clone())?;
        let hexes = [Some(account.domain_id), Some(account.project_id), account.user_id];
        for hex in hexes.into_iter().flatten().chain(account.users.iter().filter_map(|user| user.user_id)) {
            once(&mut taken.hex, "the id", hex, hex)?;
        }
        check_access_keys(&mut taken, &account.access_keys)?;
        let mut of_account = (HashSet::new(), HashSet::new(), HashSet::new());
        for user in &account.users {
            once(&mut taken.numbers, "uin", user.uin, user.uin)?;
            once(&mut of_account.0, "user", &user.name, user.name.as_str())?;
            check_access_keys(&mut taken, &user.access_keys)?;
        }
        for policy in &account.policies {
            once(&mut of_account.1, "policy", &policy.name, policy.name.as_str())?;
        }
        for key in &account.keys {
            once(&mut taken.keys, "key", key.id, key.id.to_string())?;
            once(&mut of_account.2, "the alias", &key.alias, key.alias.as_str())?;
        }
    }
    Ok(())
}

fn check_access_keys(taken: &mut Once, access_keys: &[AccessKey]) -> Result<()> {
    ensure!(access_keys.len() <= PER_USER, "a user has at most {PER_USER} access keys");
    for AccessKey { id, .. } in access_keys {
        let shaped = (1..=ID_BYTES).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        ensure!(
            shaped,
            "access key `{}` must be 1 to {ID_BYTES} visible ASCII characters",
            id.escape_default()
        );
        once(&mut taken.access_keys, "access key", id, id.clone())?;
    }
    Ok(())
}

async fn check_account(authority: &Authority, account: &Account) -> Result<()> {
    let id = AccountId(account.uin);
    let region = authority.regions().first().id.clone();
    match read(authority.account(id).await)? {
        Some(stored) => {
            ensure!(stored.app_id == account.app_id, "the store has app_id {} for it", stored.app_id);
            ensure!(stored.name == account.domain_name, "the store has domain_name `{}` for it", stored.name);
            ensure!(stored.hex == account.domain_id, "the store has domain_id {} for it", stored.hex);
            let project = stored.projects.get(&region);
            ensure!(
                project == Some(&account.project_id),
                "the store has another project_id for it: {project:?}"
            );
        }
        None => check_new_account(authority, account).await?,
    }
    hex_is(authority, "domain_id", account.domain_id, &HexName::Account(id)).await?;
    hex_is(authority, "project_id", account.project_id, &HexName::Project(id, region.clone())).await?;
    let root = check_user(authority, id, UserId(account.uin), &account.domain_name, account.user_id).await?;
    check_owned(authority, root.as_deref(), UserId(account.uin), &account.access_keys).await?;
    for policy in &account.policies {
        check_policy(authority, id, policy).await.with_context(|| format!("policy `{}`", policy.name))?;
    }
    for user in &account.users {
        let checked = check_declared_user(authority, account, user).await;
        checked.with_context(|| format!("user {} ({})", user.uin, user.name))?;
    }
    let ring = RingId { account: id, region };
    for key in &account.keys {
        check_key(authority, &ring, key).await.with_context(|| format!("key {}", key.id))?;
    }
    Ok(())
}

async fn check_new_account(authority: &Authority, account: &Account) -> Result<()> {
    if let Some(other) = read(authority.account_named(&account.domain_name).await)? {
        bail!("its domain_name is that of account {} in the store", other.0);
    }
    let used = stored::exists(authority, &at::app_id(account.app_id)).await?;
    ensure!(!used, "its app_id {} is that of another account in the store", account.app_id);
    Ok(())
}

async fn check_declared_user(authority: &Authority, account: &Account, user: &User) -> Result<()> {
    let id = AccountId(account.uin);
    let stored = check_user(authority, id, UserId(user.uin), &user.name, user.user_id).await?;
    for name in &user.policies {
        let declared = account.policies.iter().any(|policy| policy.name == *name);
        let known = declared || read(authority.policy_named(id, name).await)?.is_some();
        ensure!(known, "policy `{name}` is neither declared nor in the store nor a preset");
    }
    check_owned(authority, stored.as_deref(), UserId(user.uin), &user.access_keys).await
}

/// A user as it is stored, if it is what is declared.
async fn check_user(
    authority: &Authority,
    account: AccountId,
    id: UserId,
    name: &str,
    hex: Option<HexId>,
) -> Result<Option<std::sync::Arc<records::User>>> {
    let stored = read(authority.user(id).await)?;
    if let Some(user) = &stored {
        ensure!(user.account == account, "uin {} is a user of account {} in the store", id.0, user.account.0);
        ensure!(user.name == name, "the store has the name `{}` for uin {}", user.name, id.0);
        let same = hex.is_none_or(|hex| hex == user.hex);
        ensure!(same, "the store has user_id {} for uin {}", user.hex, id.0);
    }
    if let Some(other) = read(authority.user_named(account, name).await)? {
        ensure!(other == id, "the store has the name `{name}` for uin {}", other.0);
    }
    if let Some(hex) = hex {
        hex_is(authority, "user_id", hex, &HexName::User(id)).await?;
    }
    Ok(stored)
}

async fn check_owned(
    authority: &Authority,
    owner: Option<&records::User>,
    id: UserId,
    declared: &[AccessKey],
) -> Result<()> {
    let mut missing = 0;
    for access_key in declared {
        let Some(stored) = read(authority.access_key(&access_key.id).await)? else {
            missing += 1;
            continue;
        };
        let of = stored.record.user;
        ensure!(of == id, "access key {} is of user {} in the store", access_key.id, of.0);
        // Revealed to be compared in constant time.
        let same = stored.is_secret(access_key.secret.reveal());
        ensure!(same, "access key {} has another secret in the store", access_key.id);
    }
    let have = owner.map_or(0, |owner| owner.access_keys.len());
    let fits = missing == 0 || have + missing <= PER_USER;
    ensure!(fits, "user {} has {have} access keys in the store, and may have {PER_USER}", id.0);
    Ok(())
}

async fn check_policy(authority: &Authority, account: AccountId, policy: &Policy) -> Result<()> {
    if let Err(fault) = dialects::parse_policy(&policy.document) {
        bail!("its document is not accepted: {fault:?}");
    }
    if let Some(stored) = stored::policy(authority, account, &policy.name).await? {
        ensure!(stored.document == policy.document, "the store has another document for it");
        return Ok(());
    }
    let preset = read(authority.policy_named(account, &policy.name).await)?.is_some();
    ensure!(!preset, "a preset has this name");
    Ok(())
}

async fn check_key(authority: &Authority, ring: &RingId, key: &Key) -> Result<()> {
    if let Some(stored) = stored::key(authority, key.id).await? {
        ensure!(stored.ring() == *ring, "it is of account {} in the store", stored.account.0);
        let same = stored.origin == Origin::from(key.origin);
        ensure!(same, "the store has another origin for it: {:?}", stored.origin);
        return Ok(());
    }
    match stored::key_with_alias(authority, ring, &key.alias).await? {
        Some(other) => bail!("its alias `{}` is that of key {other} in the store", key.alias),
        None => Ok(()),
    }
}

async fn hex_is(authority: &Authority, what: &str, hex: HexId, is: &HexName) -> Result<()> {
    match read(authority.hex(hex).await)? {
        Some(found) if *found != *is => bail!("{what} {hex} names something else in the store: {found:?}"),
        Some(_) | None => Ok(()),
    }
}

fn read<T>(outcome: Result<T, claviger_core::Fault>) -> Result<T> {
    outcome.map_err(|fault| failed("reading the store", &fault))
}
