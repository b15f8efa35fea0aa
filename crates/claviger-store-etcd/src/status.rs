//! What can be said of a cluster from outside: its nodes and the members of etcd beneath.

use std::collections::BTreeMap;
use std::time::Duration;

use claviger_store::Version;
use tokio::time::timeout;

use crate::ask;
use crate::check;
use crate::client::Client;
use crate::error::OpenError;
use crate::layout::{Layout, Place};
use crate::options::Options;
use crate::proto::etcdserverpb::{AlarmRequest, AlarmType, LeaseTimeToLiveRequest};
use crate::records::{Node, NodeState};
use crate::world::World;

/// How long a member may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// A cluster, as it was at one moment.
#[derive(Clone, Debug)]
pub struct Status {
    /// The cluster's name, if it has one.
    pub name: Option<String>,
    /// The lease of its nodes.
    pub lease: Duration,
    /// The newest commit.
    pub head: Version,
    /// The nodes that are registered, by the time they came.
    pub nodes: Vec<NodeStatus>,
    /// The members of etcd that were asked.
    pub members: Vec<MemberStatus>,
    /// Alarms of etcd: words such as `NOSPACE`, with the member's id in hex.
    pub alarms: Vec<(String, String)>,
}

/// One node.
#[derive(Clone, Debug)]
pub struct NodeStatus {
    /// Its id, for this one run.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The release it runs.
    pub release: String,
    /// When it registered, in milliseconds since the epoch.
    pub since_ms: u64,
    /// The newest commit that it has acknowledged, if any.
    pub acknowledged: Option<Version>,
    /// Whether it has acknowledged the newest commit. A node alone need not acknowledge anything.
    pub up_to_date: bool,
    /// Seconds until etcd removes its registration unless it gives a sign of life; `None` if etcd did not say.
    pub lease_seconds: Option<u64>,
}

/// One member of etcd.
#[derive(Clone, Debug)]
pub struct MemberStatus {
    /// Its client URL, as configured.
    pub url: String,
    /// What it says of itself, or why it does not.
    pub answer: Result<MemberAnswer, String>,
}

/// What a member says of itself.
#[derive(Clone, Debug)]
pub struct MemberAnswer {
    /// Its release.
    pub version: String,
    /// Bytes its database takes on disk, and how many of them are in use.
    pub db_bytes: (u64, u64),
    /// Whether it leads.
    pub leads: bool,
    /// Whether it knows a leader.
    pub has_leader: bool,
    /// Complaints of its own.
    pub errors: Vec<String>,
}

impl Status {
    /// Asks etcd. Writes nothing, and joins nothing.
    ///
    /// # Errors
    /// As for opening the store; a prefix without a cluster is an error too.
    pub async fn read(options: &Options) -> Result<Self, OpenError> {
        check::options(options)?;
        let client = Client::new(options, &World::system())?;
        check::members(&client).await?;
        let layout = Layout::new(&options.prefix);
        let ranges = [ask::one(layout.cluster()), ask::all(layout.heads())];
        let more = [ask::all(layout.nodes()), ask::all(layout.acknowledgements())];
        let answer = client.read(ask::reads(ranges.into_iter().chain(more)), options.deadline).await?;
        let mut found = answer.responses.into_iter().map(|response| ask::found(Some(response)).kvs);
        let mut next = || found.next().unwrap_or_default();
        let (cluster, heads, nodes, acknowledgements) = (next(), next(), next(), next());
        let Some(cluster) = cluster.first() else {
            return Err(OpenError::Options(format!(
                "there is no Claviger cluster under {:?} in this etcd; check [store] prefix and endpoints",
                options.prefix
            )));
        };
        let cluster = check::parse(&layout, &cluster.value)?;
        let head = heads.iter().map(|kv| kv.mod_revision.unsigned_abs()).max().unwrap_or(0);
        let acknowledged: BTreeMap<&str, Version> = acknowledgements
            .iter()
            .filter_map(|kv| match layout.place(&kv.key) {
                Place::Acknowledged(id) => Some((id, std::str::from_utf8(&kv.value).ok()?.parse().ok()?)),
                _ => None,
            })
            .collect();
        let alone = nodes.len() <= 1;
        let mut status = Self {
            name: cluster.name,
            lease: Duration::from_millis(cluster.lease_ms),
            head,
            nodes: Vec::new(),
            members: members(&client).await,
            alarms: alarms(&client).await,
        };
        for kv in &nodes {
            let Place::Node(id) = layout.place(&kv.key) else { continue };
            let node: Node = serde_json::from_slice(&kv.value).unwrap_or_else(|_| Node::unreadable());
            if node.state == NodeState::Left {
                continue;
            }
            let seen = acknowledged.get(id).copied();
            let known = seen.unwrap_or(0).max(kv.create_revision.unsigned_abs());
            status.nodes.push(NodeStatus {
                id: id.to_owned(),
                name: node.name,
                release: node.release,
                since_ms: node.since_ms,
                acknowledged: seen,
                up_to_date: alone || known >= head,
                lease_seconds: lease_seconds(&client, kv.lease).await,
            });
        }
        status.nodes.sort_by_key(|node| node.since_ms);
        Ok(status)
    }
}

async fn members(client: &Client) -> Vec<MemberStatus> {
    let mut members = Vec::new();
    for member in 0..client.members() {
        let answer = match check::status(client, member).await {
            Ok(status) => Ok(MemberAnswer {
                version: status.version,
                db_bytes: (status.db_size.unsigned_abs(), status.db_size_in_use.unsigned_abs()),
                leads: status.header.is_some_and(|header| header.member_id == status.leader),
                has_leader: status.leader != 0,
                errors: status.errors,
            }),
            Err(status) => Err(check::explain(&status)),
        };
        members.push(MemberStatus { url: client.url(member).to_owned(), answer });
    }
    members
}

async fn alarms(client: &Client) -> Vec<(String, String)> {
    let asked = client.retried(PATIENCE, |member| async move {
        let request = client.request(AlarmRequest::default());
        Ok(client.maintenance(member).alarm(request).await?.into_inner())
    });
    let name = |alarm: i32| match AlarmType::try_from(alarm) {
        Ok(AlarmType::Nospace) => "NOSPACE".to_owned(),
        Ok(AlarmType::Corrupt) => "CORRUPT".to_owned(),
        Ok(AlarmType::None) | Err(_) => format!("alarm {alarm}"),
    };
    let alarms = asked.await.map(|answer| answer.alarms).unwrap_or_default();
    alarms.iter().map(|alarm| (name(alarm.alarm), format!("{:016x}", alarm.member_id))).collect()
}

async fn lease_seconds(client: &Client, id: i64) -> Option<u64> {
    let member = client.current();
    let request = client.request(LeaseTimeToLiveRequest { id });
    let mut lease = client.lease(member);
    let answer = timeout(PATIENCE, lease.lease_time_to_live(request)).await.ok()?.ok()?;
    u64::try_from(answer.into_inner().ttl).ok()
}
