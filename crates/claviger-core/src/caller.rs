//! Who is calling. A [`Caller`] comes only out of a [`Proof`], and a proof only out of a signature, a secret, a password or a
//! token that was right: a dialect cannot forge one.

use std::sync::Arc;

use claviger_crypto::{MacKey, Secret};

use crate::authority::Authority;
use crate::fault::{AuthenticationFault, Fault};
use crate::ids::{RegionId, UserId};
use crate::loaded::LoadedAccessKey;
use crate::records::{Account, User};
use crate::workers::Work;

/// Somebody who showed that they are who they say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Caller {
    /// The account.
    pub account: Arc<Account>,
    /// The user.
    pub user: Arc<User>,
    /// The access key, if one was used.
    pub access_key: Option<Arc<LoadedAccessKey>>,
    /// What the credentials are good for.
    pub scope: Scope,
    /// The token that was used and those it was made from; empty without one.
    pub(crate) tokens: Vec<String>,
}

/// What credentials are good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// What is not in any project.
    Account,
    /// All that the user may do.
    Everything,
    /// One project: the account's share of this region.
    Project(RegionId),
}

/// That somebody showed who they are; worth a [`Caller`] if the user may still act.
#[derive(Debug)]
pub struct Proof {
    pub(crate) user: UserId,
    pub(crate) access_key: Option<Arc<LoadedAccessKey>>,
    pub(crate) scope: Scope,
    pub(crate) tokens: Vec<String>,
}

impl LoadedAccessKey {
    /// A proof if `presented` is the MAC of `message` under the key that `derive` makes of the secret for `scope`.
    pub fn prove(
        self: &Arc<Self>,
        scope: &str,
        derive: impl FnOnce(&Secret) -> MacKey,
        message: &[&[u8]],
        presented: &[u8],
    ) -> Result<Proof, Fault> {
        if self.verifies(scope, derive, message, presented) {
            Ok(self.proof())
        } else {
            Err(AuthenticationFault::SignatureMismatch.into())
        }
    }

    /// A proof if `presented` is the secret itself.
    pub fn prove_by_secret(self: &Arc<Self>, presented: &Secret) -> Result<Proof, Fault> {
        // Revealed to be compared in constant time.
        if self.is_secret(presented.reveal()) {
            Ok(self.proof())
        } else {
            Err(AuthenticationFault::PasswordWrong.into())
        }
    }

    fn proof(self: &Arc<Self>) -> Proof {
        let access_key = Some(Arc::clone(self));
        Proof { user: self.record.user, access_key, scope: Scope::Everything, tokens: Vec::new() }
    }
}

impl Authority {
    /// The caller behind a proof. An access key that is inactive, or whose user is gone, is as unknown as one that never was.
    pub async fn caller(&self, proof: Proof) -> Result<Caller, Fault> {
        let unknown = || Fault::Authentication(AuthenticationFault::KeyUnknown);
        if proof.access_key.as_ref().is_some_and(|key| !key.record.active) {
            return Err(unknown());
        }
        let user = self.user(proof.user).await?.ok_or_else(unknown)?;
        let account = self.account(user.account).await?.ok_or_else(unknown)?;
        if let Some(key) = &proof.access_key {
            if !user.access_keys.contains(&key.record.id) {
                return Err(unknown());
            }
            key.touch(self.clock.now());
        }
        Ok(Caller { account, user, access_key: proof.access_key, scope: proof.scope, tokens: proof.tokens })
    }

    /// A proof if `password` is the password of that user. Takes as long for a user that is not there.
    pub async fn prove_by_password(&self, user: Option<Arc<User>>, password: Secret) -> Result<Proof, Fault> {
        let wrong = || Fault::Authentication(AuthenticationFault::PasswordWrong);
        let stored = user.as_ref().and_then(|user| user.password.clone());
        let compared = stored.clone().unwrap_or_else(|| NOBODYS_PASSWORD.to_owned());
        let right = self
            .workers
            .run(Work::Passwords, move || claviger_crypto::verify_password(&compared, &password))
            .await?;
        match user {
            Some(user) if right && stored.is_some() => {
                Ok(Proof { user: user.id, access_key: None, scope: Scope::Everything, tokens: Vec::new() })
            }
            _ => Err(wrong()),
        }
    }
}

/// A hash that no password has, so that a missing user costs what a wrong password costs.
const NOBODYS_PASSWORD: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
