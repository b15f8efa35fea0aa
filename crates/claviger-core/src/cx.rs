//! The context of one request, and the grant as a type: loading a thing through [`Cx`] checks this action's own permission and
//! gives a [`Granted`]; everything that uses or changes the thing takes the grant.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use crate::authority::Authority;
use crate::caller::Caller;
use crate::clock::Moment;
use crate::fault::{AccessKeyFault, AuthenticationFault, Fault, KeyFault, UserFault};
use crate::ids::{KeyId, RegionId, RingId, UserId};
use crate::loaded::LoadedKey;
use crate::permission::{Language, Permission};
use crate::policy::{Resource, Verdict};
use crate::records::{Account, User};

/// One request on its way through the authority.
pub struct Cx<'a> {
    /// The authority.
    pub authority: &'a Authority,
    /// The region the request is for.
    pub region: RegionId,
    /// Where it came from.
    pub source: IpAddr,
    /// The time of the request; one for all of it.
    pub now: Moment,
    caller: Option<Caller>,
    permission: Permission,
    touched: OnceLock<String>,
}

/// Something that the caller may act upon with this request's permission. Only [`Cx`] makes one.
#[derive(Clone, Debug)]
pub struct Granted<T>(T);

impl<T> Deref for Granted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A user whose access keys may be acted upon.
#[derive(Clone, Debug)]
pub struct AccessKeyOwner(pub Arc<User>);

impl<'a> Cx<'a> {
    /// For one request of one caller (none where an action is open to all) and the permission of its action.
    pub fn new(
        authority: &'a Authority,
        caller: Option<Caller>,
        permission: Permission,
        region: RegionId,
        source: IpAddr,
    ) -> Self {
        let now = authority.clock.now();
        Self { authority, region, source, now, caller, permission, touched: OnceLock::new() }
    }

    /// Who calls.
    pub fn caller(&self) -> Result<&Caller, Fault> {
        self.caller.as_ref().ok_or(Fault::Authentication(AuthenticationFault::Missing))
    }

    /// What the request touched, for the audit; `None` before anything was looked at.
    pub fn touched(&self) -> Option<&str> {
        self.touched.get().map(String::as_str)
    }

    /// Names what the request touches, for the audit, if nothing is named yet.
    pub fn touch(&self, resource: impl FnOnce() -> String) {
        self.touched.get_or_init(resource);
    }

    /// The account, for an operation that has no other resource.
    pub async fn account(&self) -> Result<Granted<Arc<Account>>, Fault> {
        self.permit(self.permission, Resource::Operation).await?;
        Ok(Granted(Arc::clone(&self.caller()?.account)))
    }

    /// The ring of the caller's account in the request's region, for an operation on it as a whole.
    pub async fn ring(&self) -> Result<Granted<RingId>, Fault> {
        self.permit(self.permission, Resource::Operation).await?;
        Ok(Granted(self.own_ring()?))
    }

    /// A key of the caller's account in the request's region.
    pub async fn key(&self, id: KeyId) -> Result<Granted<Arc<LoadedKey>>, Fault> {
        self.key_as(id, self.permission).await
    }

    /// The same, for an action that needs another permission of the key than its own; see `Cx::key`.
    pub async fn key_as(&self, id: KeyId, permission: Permission) -> Result<Granted<Arc<LoadedKey>>, Fault> {
        self.touch(|| format!("key/{id}"));
        let missing = || Fault::Key(KeyFault::NotFound);
        let caller = self.caller()?;
        let loaded = self.authority.key(id).await?.ok_or_else(missing)?;
        if loaded.key.account != caller.account.id || loaded.key.region != self.region {
            return Err(missing());
        }
        let resource = Resource::Key { region: &loaded.key.region, creator: loaded.key.creator, id };
        self.permit(permission, resource).await?;
        Ok(Granted(loaded.settled(self.now).ok_or_else(missing)?))
    }

    /// A user of the caller's account.
    pub async fn user(&self, id: UserId) -> Result<Granted<Arc<User>>, Fault> {
        let user = self.own_user(id).await?;
        self.permit(self.permission, Resource::User(id)).await?;
        Ok(Granted(user))
    }

    /// A user of the caller's account, to act upon the user's access keys; without an id, the caller. Nobody but the root user
    /// reaches the root user's.
    pub async fn access_key_owner(&self, id: Option<UserId>) -> Result<Granted<AccessKeyOwner>, Fault> {
        let caller = self.caller()?;
        let user = self.own_user(id.unwrap_or(caller.user.id)).await?;
        if user.is_root() && !caller.user.is_root() {
            return Err(AccessKeyFault::OfRoot.into());
        }
        self.permit(self.permission, Resource::User(user.id)).await?;
        Ok(Granted(AccessKeyOwner(user)))
    }

    /// A random number for a user that is to be made, on whom the caller will have this context's permission: what a policy says
    /// of a user is known before there is one.
    pub async fn number_for_user(&self) -> Result<UserId, Fault> {
        let id = UserId(self.authority.random_number());
        self.permit(self.permission(), Resource::User(id)).await?;
        Ok(id)
    }

    async fn own_user(&self, id: UserId) -> Result<Arc<User>, Fault> {
        self.touch(|| format!("user/{}", id.0));
        let account = self.caller()?.account.id;
        let found = self.authority.user(id).await?;
        found.filter(|user| user.account == account).ok_or(Fault::User(UserFault::NotFound))
    }

    /// The ring of the caller's account in the request's region, unchecked.
    pub(crate) fn own_ring(&self) -> Result<RingId, Fault> {
        Ok(RingId { account: self.caller()?.account.id, region: self.region.clone() })
    }

    /// Checks a permission. The root user may do everything; for others, what their policies say.
    pub(crate) async fn permit(&self, permission: Permission, resource: Resource<'_>) -> Result<(), Fault> {
        let caller = self.caller()?;
        if caller.user.is_root() {
            return Ok(());
        }
        let mut verdict = Verdict::Silent;
        for attachment in &caller.user.policies {
            // A policy that is attached and not there could have been a deny: better nothing than too much.
            let policy = self.authority.policy(attachment.policy).await?.ok_or(Fault::Internal)?;
            let names = self.region_names(policy.record.language);
            verdict = verdict.and(policy.compiled.verdict(caller.account.id, permission, resource, names));
        }
        if verdict.permits(permission) {
            return Ok(());
        }
        let resource = resource.full_name(Language::Cam2, caller.account.id);
        Err(Fault::PermissionDenied { permission, resource })
    }

    fn region_names(&self, language: Language) -> &[String] {
        let region = self.authority.regions.find(&self.region);
        region.map_or(&[], |region| region.names(language.dialect()))
    }

    /// The permission of this request's action.
    pub const fn permission(&self) -> Permission {
        self.permission
    }
}
