//! Bearer tokens: sealed claims, good on every node without being stored; only a revocation is.
//!
//! ```text
//! base64url( 1 | account, 8 bytes big-endian | claims sealed under the account's global ring )
//! ```

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use claviger_store::{Expect, StoreError};
use serde::{Deserialize, Serialize};

use crate::authority::Authority;
use crate::caller::{Caller, Proof, Scope};
use crate::clock::Moment;
use crate::fault::{AuthenticationFault, Fault};
use crate::ids::{AccountId, RegionId, RingId, UserId};
use crate::label;
use crate::loaded::LoadedAccessKey;
use crate::records::{self, Revoked, at};

/// Longest token that is looked at, in bytes.
pub const TOKEN_BYTES: usize = 4096;
const FORMAT: u8 = 1;
/// How far apart the clocks of two nodes may be: a token that is expired on one and not yet on another is still revoked there.
const CLOCKS_APART_SECONDS: u64 = 3600;

/// What a token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// The token's own id, hex.
    id: String,
    /// Whose it is.
    pub user: UserId,
    /// The project it is for, by region; absent: the account.
    pub project: Option<RegionId>,
    /// How the user showed who they are.
    pub methods: Vec<String>,
    /// When it was issued.
    pub issued: Moment,
    /// When it ends.
    pub expires: Moment,
    /// The user's epoch at that time.
    epoch: u64,
    /// The access key that stood for the user, if one did: the token is good only while that is.
    #[serde(default)]
    access_key: Option<String>,
    /// The tokens that this one was made from, hex: it is good only while none of them is revoked.
    #[serde(default)]
    ancestors: Vec<String>,
}

/// Most tokens made from each other in a row.
const MOST_ANCESTORS: usize = 8;

impl Claims {
    /// The token's id and those of its ancestors.
    fn family(&self) -> impl Iterator<Item = [u8; 16]> {
        self.ancestors.iter().chain([&self.id]).map(|id| token_id(id))
    }
}

fn token_id(text: &str) -> [u8; 16] {
    let mut id = [0; 16];
    // Sealed by us: it is well-formed, or the zero id, which is never revoked because it is never issued.
    let _ = hex::decode_to_slice(text, &mut id);
    id
}

impl Authority {
    /// A token for a caller. One made from another token ends with that one at the latest: its end is `not_after`.
    pub async fn issue_token(
        &self,
        caller: &Caller,
        project: Option<RegionId>,
        methods: Vec<String>,
        not_after: Option<Moment>,
    ) -> Result<(String, Claims), Fault> {
        if caller.tokens.len() > MOST_ANCESTORS {
            return Err(AuthenticationFault::TokenInvalid.into());
        }
        let issued = self.clock.now();
        let longest = issued.plus_seconds(self.limits.token_seconds);
        let claims = Claims {
            id: hex::encode(self.entropy.bytes::<16>()),
            user: caller.user.id,
            project,
            methods,
            issued,
            expires: not_after.map_or(longest, |end| end.min(longest)),
            epoch: caller.user.epoch,
            access_key: caller.access_key.as_ref().map(|key| key.record.id.clone()),
            ancestors: caller.tokens.clone(),
        };
        let account = caller.account.id;
        let ring = self.ring(&RingId { account, region: RegionId::global() }).await?;
        let mut token = vec![FORMAT];
        token.extend_from_slice(&account.0.to_be_bytes());
        token.extend(ring.seal(&self.entropy, &label::token(account), &records::encode(&claims)));
        Ok((BASE64.encode(token), claims))
    }

    /// What a token says, if it is one of ours, not expired, not revoked, and its user is still the same.
    pub async fn read_token(&self, token: &str) -> Result<Claims, Fault> {
        let invalid = || Fault::Authentication(AuthenticationFault::TokenInvalid);
        if token.len() > TOKEN_BYTES {
            return Err(invalid());
        }
        let bytes = BASE64.decode(token).map_err(|_| invalid())?;
        let (format, rest) = bytes.split_first().ok_or_else(invalid)?;
        let (account, sealed) = rest.split_first_chunk::<8>().ok_or_else(invalid)?;
        let account = AccountId(u64::from_be_bytes(*account));
        // The account is looked up before its ring, so that made-up numbers make no rings.
        if *format != FORMAT || self.account(account).await?.is_none() {
            return Err(invalid());
        }
        let ring = self.ring(&RingId { account, region: RegionId::global() }).await?;
        let inside = ring.open(&label::token(account), sealed).map_err(|_| invalid())?;
        // Revealed to be read; it holds no secret.
        let claims: Claims = records::decode(inside.reveal())?;
        if claims.expires <= self.clock.now() {
            return Err(AuthenticationFault::TokenExpired.into());
        }
        let user = self.user(claims.user).await?.ok_or_else(invalid)?;
        if user.epoch != claims.epoch || user.account != account {
            return Err(invalid());
        }
        for token in claims.family() {
            if self.is_revoked(token).await? {
                return Err(invalid());
            }
        }
        self.standing_key(&claims).await?;
        Ok(claims)
    }

    /// The access key that stands behind a token, if one does; it must still be good.
    async fn standing_key(&self, claims: &Claims) -> Result<Option<Arc<LoadedAccessKey>>, Fault> {
        let Some(id) = &claims.access_key else { return Ok(None) };
        let found = self.access_key(id).await?;
        let good = found.filter(|key| key.record.active && key.record.user == claims.user);
        Ok(Some(good.ok_or(Fault::Authentication(AuthenticationFault::TokenInvalid))?))
    }

    /// A proof by a token.
    pub async fn prove_by_token(&self, token: &str) -> Result<Proof, Fault> {
        let claims = self.read_token(token).await?;
        let access_key = self.standing_key(&claims).await?;
        let scope = claims.project.map_or(Scope::Account, Scope::Project);
        let tokens = claims.ancestors.into_iter().chain([claims.id]).collect();
        Ok(Proof { user: claims.user, access_key, scope, tokens })
    }

    /// Makes a token worthless from now on.
    pub async fn revoke_token(&self, claims: &Claims) -> Result<(), Fault> {
        let mut tx = self.tx();
        let revoked = Revoked { v: records::FORMAT, until: claims.expires };
        tx.put(at::revoked(token_id(&claims.id)), records::encode(&revoked));
        tx.commit().await?;
        Ok(())
    }

    /// Forgets revocations of tokens that are expired anyway, on every node whose clock is not far off; called now and then.
    pub async fn forget_revocations(&self) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let mut scan = claviger_store::Scan::forward(at::REVOKED, 1000);
            scan.after = after.as_deref();
            let page = self.engine.scan(scan).await?;
            for entry in &page.entries {
                let revoked: Revoked = records::decode(&entry.value)?;
                if revoked.until.plus_seconds(CLOCKS_APART_SECONDS) <= now {
                    let mut tx = self.tx();
                    tx.expect(entry.key.clone(), Expect::Version(entry.version));
                    tx.delete(entry.key.clone());
                    match tx.commit().await {
                        // Another node has forgotten it.
                        Err(StoreError::Conflict) => {}
                        outcome => drop(outcome?),
                    }
                }
            }
            if !page.more {
                return Ok(());
            }
            after = page.entries.last().map(|entry| entry.key.clone());
        }
    }
}

/// The user of claims, with the account.
pub async fn subject(
    authority: &Authority,
    claims: &Claims,
) -> Result<(Arc<records::Account>, Arc<records::User>), Fault> {
    let gone = || Fault::Authentication(AuthenticationFault::TokenInvalid);
    let user = authority.user(claims.user).await?.ok_or_else(gone)?;
    let account = authority.account(user.account).await?.ok_or_else(gone)?;
    Ok((account, user))
}
