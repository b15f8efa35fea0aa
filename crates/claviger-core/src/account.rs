//! Accounts. Only the operator makes them.

use std::collections::BTreeMap;

use claviger_crypto::Secret;
use claviger_store::Scan;

use crate::authority::{Authority, expect_absent};
use crate::fault::{Fault, UserFault};
use crate::ids::{AccountId, HexId, RegionId, UserId};
use crate::records::{self, Account, HexName, Points, User, at};

/// What a new account is to be; what is absent is made at random.
#[derive(Debug, Default)]
pub struct NewAccount {
    /// Its name, unique in the store; also the name of its root user.
    pub name: String,
    /// Its number.
    pub id: Option<AccountId>,
    /// Its second number.
    pub app_id: Option<u64>,
    /// Its hex name.
    pub hex: Option<HexId>,
    /// The hex name of its root user.
    pub root_hex: Option<HexId>,
    /// Its project in our first region.
    pub project: Option<HexId>,
    /// Its root user's password.
    pub password: Option<Secret>,
}

impl Authority {
    /// Makes an account with its root user and a project in every region.
    pub async fn add_account(&self, new: NewAccount) -> Result<(Account, User), Fault> {
        let shaped = (1..=64).contains(&new.name.len()) && !new.name.contains('\0');
        if !shaped {
            return Err(UserFault::NameInvalid.into());
        }
        let password = match new.password {
            Some(password) => Some(self.hash(password).await?),
            None => None,
        };
        let mut projects = BTreeMap::new();
        for region in self.regions.iter() {
            let first = region.id == self.regions.first().id;
            let given = new.project.filter(|_| first);
            projects.insert(region.id.clone(), given.unwrap_or_else(|| HexId(self.entropy.bytes())));
        }
        let account = Account {
            v: records::FORMAT,
            id: new.id.unwrap_or_else(|| AccountId(self.random_number())),
            app_id: new.app_id.unwrap_or_else(|| 1_300_000_000 + self.entropy.below(90_000_000)),
            hex: new.hex.unwrap_or_else(|| HexId(self.entropy.bytes())),
            name: new.name,
            created: self.clock.now(),
            projects,
        };
        let root = User {
            v: records::FORMAT,
            id: UserId(account.id.0),
            account: account.id,
            hex: new.root_hex.unwrap_or_else(|| HexId(self.entropy.bytes())),
            name: account.name.clone(),
            remark: String::new(),
            serial: 1_000_000 + self.entropy.below(9_000_000),
            created: account.created,
            password,
            epoch: account.created.millis(),
            access_keys: Vec::new(),
            policies: Vec::new(),
            profile: BTreeMap::new(),
        };
        self.put_account(&account, &root).await?;
        Ok((account, root))
    }

    async fn put_account(&self, account: &Account, root: &User) -> Result<(), Fault> {
        let mut tx = self.tx();
        let mut fresh = |place: Vec<u8>, value: Vec<u8>| {
            expect_absent(&mut tx, place.clone());
            tx.put(place, value);
        };
        fresh(at::account(account.id), records::encode(account));
        fresh(at::account_name(&account.name), records::encode(&Points { to: account.id }));
        fresh(at::app_id(account.app_id), Vec::new());
        fresh(at::hex(account.hex), records::encode(&HexName::Account(account.id)));
        for (region, project) in &account.projects {
            let name = HexName::Project(account.id, region.clone());
            fresh(at::hex(*project), records::encode(&name));
        }
        fresh(at::user(root.id), records::encode(root));
        fresh(at::user_name(account.id, &root.name), records::encode(&Points { to: root.id }));
        fresh(at::hex(root.hex), records::encode(&HexName::User(root.id)));
        tx.commit().await?;
        Ok(())
    }

    /// An account's number by its name.
    pub async fn account_named(&self, name: &str) -> Result<Option<AccountId>, Fault> {
        if name.is_empty() || name.len() > 64 {
            return Ok(None);
        }
        let stored = self.engine.get(&at::account_name(name)).await?.stored;
        stored
            .map(|stored| records::decode::<Points<AccountId>>(&stored.value).map(|points| points.to))
            .transpose()
    }

    /// The first accounts of the store, by number.
    pub async fn accounts(&self, limit: usize) -> Result<Vec<Account>, Fault> {
        let page = self.engine.scan(Scan::forward(at::ACCOUNTS, limit)).await?;
        page.entries.iter().map(|entry| records::decode(&entry.value)).collect()
    }

    /// Gives every account a project in every region; for a region that came with a new configuration.
    pub async fn complete_projects(&self) -> Result<(), Fault> {
        for account in self.accounts(10_000).await? {
            let missing: Vec<RegionId> = self
                .regions
                .iter()
                .map(|region| region.id.clone())
                .filter(|region| !account.projects.contains_key(region))
                .collect();
            if missing.is_empty() {
                continue;
            }
            self.give_projects(account.id, &missing).await?;
        }
        Ok(())
    }

    async fn give_projects(&self, id: AccountId, regions: &[RegionId]) -> Result<(), Fault> {
        loop {
            let mut tx = self.tx();
            let Some(value) = tx.get(&at::account(id)).await? else { return Ok(()) };
            let mut account: Account = records::decode(&value)?;
            for region in regions {
                // Another node that starts at the same time may have been first.
                if !account.projects.contains_key(region) {
                    let project = HexId(self.entropy.bytes());
                    tx.put(at::hex(project), records::encode(&HexName::Project(id, region.clone())));
                    account.projects.insert(region.clone(), project);
                }
            }
            if tx.is_empty() {
                return Ok(());
            }
            tx.put(at::account(id), records::encode(&account));
            match tx.commit().await {
                Err(claviger_store::StoreError::Conflict) => {}
                outcome => return Ok(outcome.map(drop)?),
            }
        }
    }
}
