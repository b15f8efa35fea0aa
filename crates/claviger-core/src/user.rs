//! Users of an account, and the policies attached to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use claviger_crypto::Secret;
use claviger_store::Scan;

use crate::access_key::stored_user;
use crate::authority::{Authority, expect_absent};
use crate::cx::{Cx, Granted};
use crate::fault::{Fault, PolicyFault, UserFault};
use crate::ids::{AccountId, HexId, PolicyId, UserId};
use crate::loaded::LoadedPolicy;
use crate::records::{self, Account, Attachment, HexName, Points, User, at};
use crate::workers::Work;

/// Longest name of a user, in characters.
pub const NAME_CHARS: usize = 64;
/// Most users listed of one account.
pub const MOST_USERS: usize = 10_000;
/// Most policies attached to one user.
pub const MOST_POLICIES: usize = 200;

/// What a new user is to be.
#[derive(Debug, Default)]
pub struct NewUser {
    /// Its name, unique in the account.
    pub name: String,
    /// A remark.
    pub remark: String,
    /// Its number; absent: a random one.
    pub id: Option<UserId>,
    /// Its hex name; absent: a random one.
    pub hex: Option<HexId>,
    /// Its password; absent: it cannot log in with one.
    pub password: Option<Secret>,
    /// Contact and console settings.
    pub profile: BTreeMap<String, String>,
}

impl Cx<'_> {
    /// Makes a user.
    pub async fn create_user(&self, account: &Granted<Arc<Account>>, new: NewUser) -> Result<User, Fault> {
        let user = self.authority.add_user(account.id, new).await?;
        self.touch(|| format!("user/{}", user.id.0));
        Ok(user)
    }

    /// A user of the caller's account by name, with this action's permission.
    pub async fn user_named(&self, name: &str) -> Result<Granted<Arc<User>>, Fault> {
        let id = self.authority.user_named(self.caller()?.account.id, name).await?;
        self.user(id.ok_or(Fault::User(UserFault::NotFound))?).await
    }

    /// The users of the account, by name; the root user is not among them.
    pub async fn list_users(&self, account: &Granted<Arc<Account>>) -> Result<Vec<Arc<User>>, Fault> {
        let prefix = at::users(account.id);
        let mut users = Vec::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let mut scan = Scan::forward(&prefix, 500);
            scan.after = after.as_deref();
            let page = self.authority.engine.scan(scan).await?;
            for entry in &page.entries {
                let points: Points<UserId> = records::decode(&entry.value)?;
                users.extend(self.authority.user(points.to).await?.filter(|user| !user.is_root()));
            }
            if !page.more || users.len() >= MOST_USERS {
                return Ok(users);
            }
            after = page.entries.last().map(|entry| entry.key.clone());
        }
    }

    /// Deletes a user that has no access keys.
    pub async fn delete_user(&self, user: &Granted<Arc<User>>) -> Result<(), Fault> {
        if user.is_root() {
            return Err(UserFault::NotFound.into());
        }
        let _turn = self.authority.turn(user.id).await;
        let mut tx = self.authority.tx();
        let user = stored_user(&mut tx, user.id).await?;
        if !user.access_keys.is_empty() {
            return Err(UserFault::HasAccessKeys.into());
        }
        tx.delete(at::user(user.id));
        tx.delete(at::user_name(user.account, &user.name));
        tx.delete(at::hex(user.hex));
        tx.commit().await?;
        Ok(())
    }

    /// A policy that the caller's account has.
    pub async fn policy(
        &self,
        _account: &Granted<Arc<Account>>,
        id: PolicyId,
    ) -> Result<Arc<LoadedPolicy>, Fault> {
        self.own_policy(id).await
    }

    /// Attaches a policy to a user; once is enough.
    pub async fn attach_policy(&self, user: &Granted<Arc<User>>, id: PolicyId) -> Result<(), Fault> {
        self.own_policy(id).await?;
        let _turn = self.authority.turn(user.id).await;
        self.authority.attach(user.id, id).await
    }

    /// Detaches a policy from a user; one that is not attached is detached already.
    pub async fn detach_policy(&self, user: &Granted<Arc<User>>, id: PolicyId) -> Result<(), Fault> {
        self.own_policy(id).await?;
        let _turn = self.authority.turn(user.id).await;
        let mut tx = self.authority.tx();
        let mut user = stored_user(&mut tx, user.id).await?;
        let before = user.policies.len();
        user.policies.retain(|attachment| attachment.policy != id);
        if user.policies.len() != before {
            tx.put(at::user(user.id), records::encode(&user));
        }
        tx.commit().await?;
        Ok(())
    }

    /// The policies attached to a user, oldest first.
    pub async fn attached_policies(
        &self,
        user: &Granted<Arc<User>>,
    ) -> Result<Vec<(Attachment, Arc<LoadedPolicy>)>, Fault> {
        let mut attached = Vec::new();
        for attachment in &user.policies {
            attached
                .extend(self.authority.policy(attachment.policy).await?.map(|policy| (*attachment, policy)));
        }
        Ok(attached)
    }

    async fn own_policy(&self, id: PolicyId) -> Result<Arc<LoadedPolicy>, Fault> {
        let account = self.caller()?.account.id;
        let found = self.authority.policy(id).await?;
        let preset = id.0 < PolicyId::FIRST_CUSTOM;
        found
            .filter(|policy| preset || policy.record.account == account)
            .ok_or(Fault::Policy(PolicyFault::NotFound))
    }
}

impl Authority {
    /// The number of an account's user by name.
    pub async fn user_named(&self, account: AccountId, name: &str) -> Result<Option<UserId>, Fault> {
        if name.is_empty() || name.len() > 4 * NAME_CHARS {
            return Ok(None);
        }
        let read = self.engine.get(&at::user_name(account, name)).await?;
        read.stored
            .map(|stored| records::decode::<Points<UserId>>(&stored.value).map(|points| points.to))
            .transpose()
    }

    /// Makes a user; the operator's way too, which no policy binds.
    pub async fn add_user(&self, account: AccountId, new: NewUser) -> Result<User, Fault> {
        let length = new.name.chars().count();
        let well_formed = (1..=NAME_CHARS).contains(&length)
            && new.name.chars().all(|c| c.is_alphanumeric() || "_-.@+=,".contains(c));
        if !well_formed {
            return Err(UserFault::NameInvalid.into());
        }
        let password = match new.password {
            Some(password) => Some(self.hash(password).await?),
            None => None,
        };
        let user = User {
            v: records::FORMAT,
            id: new.id.unwrap_or_else(|| UserId(self.random_number())),
            account,
            hex: new.hex.unwrap_or_else(|| HexId(self.entropy.bytes())),
            name: new.name,
            remark: new.remark,
            serial: 1_000_000 + self.entropy.below(9_000_000),
            created: self.clock.now(),
            password,
            // A number made again after a deletion is another user: tokens of the one before must not fit.
            epoch: self.clock.now().millis(),
            access_keys: Vec::new(),
            policies: Vec::new(),
            profile: new.profile,
        };
        let mut tx = self.tx();
        if tx.get(&at::user_name(account, &user.name)).await?.is_some() {
            return Err(UserFault::NameTaken.into());
        }
        expect_absent(&mut tx, at::user(user.id));
        expect_absent(&mut tx, at::hex(user.hex));
        tx.put(at::user(user.id), records::encode(&user));
        tx.put(at::user_name(account, &user.name), records::encode(&Points { to: user.id }));
        tx.put(at::hex(user.hex), records::encode(&HexName::User(user.id)));
        tx.commit().await?;
        Ok(user)
    }

    /// Attaches a policy; the operator's way too. Once is enough.
    pub async fn attach(&self, user: UserId, policy: PolicyId) -> Result<(), Fault> {
        let mut tx = self.tx();
        let mut user = stored_user(&mut tx, user).await?;
        if !user.policies.iter().any(|attachment| attachment.policy == policy) {
            if user.policies.len() >= MOST_POLICIES {
                return Err(PolicyFault::Limit.into());
            }
            user.policies.push(Attachment { policy, at: self.clock.now() });
            tx.put(at::user(user.id), records::encode(&user));
        }
        tx.commit().await?;
        Ok(())
    }

    /// Twelve digits that begin with 100, as numbers of accounts and users look.
    pub(crate) fn random_number(&self) -> u64 {
        100_000_000_000 + self.entropy.below(1_000_000_000)
    }

    pub(crate) async fn hash(&self, password: Secret) -> Result<String, Fault> {
        let entropy = self.entropy.clone();
        let hashed = self
            .workers
            .run(Work::Passwords, move || claviger_crypto::hash_password(&entropy, &password))
            .await?;
        hashed.map_err(|error| {
            tracing::error!(%error, "a password could not be hashed");
            Fault::Internal
        })
    }
}
