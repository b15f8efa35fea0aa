//! Making policies.

use std::sync::Arc;

use crate::authority::{Authority, expect_absent};
use crate::cx::{Cx, Granted};
use crate::fault::{Fault, PolicyFault};
use crate::ids::{AccountId, PolicyId};
use crate::permission::Language;
use crate::policy::Statement;
use crate::records::{self, Account, Points, Policy, at};

/// Longest name of a policy, in bytes.
pub const NAME_BYTES: usize = 128;
/// Longest description of a policy, in bytes.
pub const DESCRIPTION_BYTES: usize = 1024;

/// What a new policy is to be.
#[derive(Debug)]
pub struct NewPolicy {
    /// Its name, unique in the account.
    pub name: String,
    /// A description.
    pub description: String,
    /// The language of its spellings.
    pub language: Language,
    /// The document as it was given.
    pub document: String,
    /// What it means.
    pub statements: Vec<Statement>,
}

impl Cx<'_> {
    /// Makes a policy.
    pub async fn create_policy(
        &self,
        account: &Granted<Arc<Account>>,
        new: NewPolicy,
    ) -> Result<Policy, Fault> {
        self.authority.add_policy(account.id, new).await
    }
}

impl Authority {
    /// Makes a policy; the operator's way too, which no policy binds.
    pub async fn add_policy(&self, account: AccountId, new: NewPolicy) -> Result<Policy, Fault> {
        let well_formed = (1..=NAME_BYTES).contains(&new.name.len())
            && new.name.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c));
        if !well_formed {
            return Err(PolicyFault::NameInvalid.into());
        }
        let policy = Policy {
            v: records::FORMAT,
            id: PolicyId(PolicyId::FIRST_CUSTOM + self.entropy.below(1_000_000_000)),
            account,
            name: new.name,
            description: new.description,
            language: new.language,
            document: new.document,
            statements: new.statements,
            created: self.clock.now(),
        };
        let by_name = at::policy_name(account, &policy.name);
        let mut tx = self.tx();
        if tx.get(&by_name).await?.is_some() || crate::preset::named(&policy.name).is_some() {
            return Err(PolicyFault::NameTaken.into());
        }
        expect_absent(&mut tx, at::policy(policy.id));
        tx.put(at::policy(policy.id), records::encode(&policy));
        tx.put(by_name, records::encode(&Points { to: policy.id }));
        tx.commit().await?;
        Ok(policy)
    }

    /// A policy's number by its name, presets included.
    pub async fn policy_named(&self, account: AccountId, name: &str) -> Result<Option<PolicyId>, Fault> {
        if let Some(preset) = crate::preset::named(name) {
            return Ok(Some(preset));
        }
        let stored = self.engine.get(&at::policy_name(account, name)).await?.stored;
        stored
            .map(|stored| records::decode::<Points<PolicyId>>(&stored.value).map(|points| points.to))
            .transpose()
    }
}
