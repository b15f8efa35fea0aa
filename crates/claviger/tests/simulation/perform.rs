//! What a node does for one request, as a dialect does it: look at the lease, find the caller, act.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use claviger_core::account::NewAccount;
use claviger_core::fault::AuthenticationFault;
use claviger_core::key::cipher::Context;
use claviger_core::key::create::NewKey;
use claviger_core::key::{Key, Origin};
use claviger_core::tag::{self, Tag, TagProfile};
use claviger_core::user::NewUser;
use claviger_core::{
    AccountId, Authority, Clock, Cx, Fault, KeyId, Permission, PolicyId, RegionId, RingId, Secret, UserId,
};

use crate::operation::{ACCESS_KEYS, DUE, KEYS, Operation, Outcome, Position, Signer, Switch};

/// How often what was in conflict is run again.
const RETRIES: u32 = 3;
const ACCOUNT: AccountId = AccountId(100_000_000_001);
const USER: UserId = UserId(100_000_000_777);
/// `QcloudKMSFullAccess`.
const POLICY: PolicyId = PolicyId(5);

/// Where a node works on requests.
pub(crate) struct Desk {
    pub(crate) authority: Authority,
    pub(crate) clock: Clock,
}

/// The numbers in the writers' tags.
type Seen = BTreeMap<u64, u64>;

pub(crate) fn key_id(number: usize) -> KeyId {
    KeyId([u8::try_from(number).expect("a few keys"); 16])
}

pub(crate) fn due_id(number: usize) -> KeyId {
    key_id(100 + number)
}

pub(crate) fn created_id(number: u64) -> KeyId {
    KeyId((u128::from(number) + (1 << 64)).to_be_bytes())
}

fn access_key_id(signer: Signer) -> String {
    match signer {
        Signer::Root => "ROOT".to_owned(),
        Signer::User(number) => format!("USER{number}"),
    }
}

fn secret(signer: Signer) -> Secret {
    Secret::from(format!("{:y<32}", access_key_id(signer)))
}

fn region() -> RegionId {
    RegionId::parse("local").expect("the only region there is")
}

impl Desk {
    /// As `serve` in `claviger-api` sees a request through.
    pub(crate) async fn perform(&self, operation: Operation) -> Outcome {
        let engine = self.authority.engine();
        if !engine.fresh() {
            return Outcome::Stale;
        }
        let mut outcome = self.attempt(operation).await;
        for _ in 0..RETRIES {
            if outcome != Err(Fault::Conflict) {
                break;
            }
            outcome = self.attempt(operation).await;
        }
        let reads = matches!(operation, Operation::Use { .. });
        match outcome {
            Ok(_) if reads && !engine.fresh() => Outcome::Stale,
            Ok(seen) => Outcome::Done(seen),
            Err(Fault::Internal) => Outcome::Unknown("Internal".to_owned()),
            Err(fault) if !reads && fault.is_of_the_store() && engine.settle().await.is_err() => {
                Outcome::Failed(format!("{fault:?}, perhaps"))
            }
            Err(
                Fault::Authentication(AuthenticationFault::KeyUnknown)
                | Fault::Key(_)
                | Fault::PermissionDenied { .. },
            ) => Outcome::Denied,
            Err(fault) => Outcome::Failed(format!("{fault:?}")),
        }
    }

    async fn attempt(&self, operation: Operation) -> Result<Seen, Fault> {
        match operation {
            Operation::Create { number } => {
                let ring = RingId { account: ACCOUNT, region: region() };
                let (id, new) = (created_id(number), new_key(&format!("created {number}")));
                self.authority.create_key(&ring, id, UserId(ACCOUNT.0), new).await?;
            }
            Operation::Found => self.found().await?,
            Operation::Turn { switch, to } => self.turn(switch, to).await?,
            Operation::Use { key, signer } => return self.encrypt(key_id(key), signer).await,
            Operation::Write { key, writer, number } => {
                let cx = self.cx(Signer::Root, Permission::KeyDescribe).await?;
                let mut edit = cx.edit(key_id(key)).await?;
                let tag = Tag { key: format!("writer {writer}"), value: number.to_string() };
                tag::set(&mut edit.key.tags, &[tag], TagProfile::Classic)?;
                edit.commit().await?;
            }
        }
        Ok(Seen::new())
    }

    /// Whether a created key is there, as this node sees it.
    pub(crate) async fn encrypt(&self, id: KeyId, signer: Signer) -> Result<Seen, Fault> {
        let cx = self.cx(signer, Permission::Encrypt).await?;
        let key = cx.key(id).await?;
        key.encrypt(&cx, Context::NONE, b"plain")?;
        let numbers = key.record().tags.iter().filter_map(|tag| {
            Some((tag.key.strip_prefix("writer ")?.parse().ok()?, tag.value.parse().ok()?))
        });
        Ok(numbers.collect())
    }

    async fn turn(&self, switch: Switch, to: Position) -> Result<(), Fault> {
        match switch {
            Switch::AccessKey(number) => {
                let cx = self.cx(Signer::Root, Permission::AccessKeyUpdate).await?;
                let owner = cx.access_key_owner(Some(USER)).await?;
                let (id, active) = (access_key_id(Signer::User(number)), to == Position::On);
                cx.update_access_key(&owner, &id, Some(active), None).await?;
            }
            Switch::Key(number) => {
                let cx = self.cx(Signer::Root, Permission::KeyDisable).await?;
                let mut edit = cx.edit(key_id(number)).await?;
                match to {
                    Position::Off => edit.key.disable()?,
                    Position::On => edit.key.enable()?,
                };
                edit.commit().await?;
            }
            Switch::Policy => {
                let cx = self.cx(Signer::Root, Permission::PolicyDetach).await?;
                let user = cx.user(USER).await?;
                match to {
                    Position::Off => cx.detach_policy(&user, POLICY).await?,
                    Position::On => cx.attach_policy(&user, POLICY).await?,
                }
            }
        }
        Ok(())
    }

    async fn cx(&self, signer: Signer, permission: Permission) -> Result<Cx<'_>, Fault> {
        let unknown = || Fault::Authentication(AuthenticationFault::KeyUnknown);
        let found = self.authority.access_key(&access_key_id(signer)).await?;
        let proof = found.ok_or_else(unknown)?.prove_by_secret(&secret(signer))?;
        let caller = self.authority.caller(proof).await?;
        let source = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Ok(Cx::new(&self.authority, Some(caller), permission, region(), source))
    }

    async fn found(&self) -> Result<(), Fault> {
        let authority = &self.authority;
        let new = NewAccount { name: "main".into(), id: Some(ACCOUNT), ..NewAccount::default() };
        let (_, root) = authority.add_account(new).await?;
        let id = access_key_id(Signer::Root);
        authority.add_access_key(&root, id, &secret(Signer::Root), true, String::new()).await?;
        let new = NewUser { name: "user".into(), id: Some(USER), ..NewUser::default() };
        let user = authority.add_user(ACCOUNT, new).await?;
        authority.attach(USER, POLICY).await?;
        for number in 0..ACCESS_KEYS {
            let signer = Signer::User(number);
            let id = access_key_id(signer);
            authority.add_access_key(&user, id, &secret(signer), true, String::new()).await?;
        }
        let ring = RingId { account: ACCOUNT, region: region() };
        let kept = (0..KEYS).map(key_id);
        for id in kept.chain((0..DUE).map(due_id)) {
            authority.create_key(&ring, id, root.id, new_key(&id.to_string())).await?;
        }
        for number in 0..DUE {
            // Each some seconds after the one before.
            self.clock.advance(Duration::from_secs(2));
            let cx = self.cx(Signer::Root, Permission::KeyScheduleDeletion).await?;
            let mut edit = cx.edit(due_id(number)).await?;
            edit.key.schedule_deletion(cx.now, *Key::DELETION_DAYS.start())?;
            edit.commit().await?;
        }
        Ok(())
    }
}

fn new_key(alias: &str) -> NewKey {
    NewKey {
        alias: alias.to_owned(),
        description: String::new(),
        spec: None,
        origin: Origin::Internal,
        tags: Vec::new(),
    }
}
