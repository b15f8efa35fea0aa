//! `claviger cluster`: how the nodes of a cluster are, and the etcd beneath them.

mod attention;
mod table;

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use claviger_store::Version;
use claviger_store_etcd::{Options, Status};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::store::{Place, StoreArgs};

/// Between two looks at a node that has not applied the newest commit.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What can be asked of a cluster.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show the nodes and the members of etcd; ends with 1 if something needs attention.
    Status(Args),
}

/// What can be said on the command line.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    store: StoreArgs,
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

impl Command {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        match self {
            Self::Status(args) => status(args).await,
        }
    }
}

async fn status(args: Args) -> Result<()> {
    let named = args.store.config.is_some() || !args.store.etcd.etcd.is_empty();
    ensure!(named, "which cluster? Name its configuration with --config, or etcd's client URLs with --etcd");
    let (Place::Etcd(options), _) = args.store.place()? else {
        bail!("this store is in a data folder and has no nodes; `claviger cluster` is for stores in etcd");
    };
    let status = read(&options).await?;
    let attention = attention::all(&status);
    if args.json {
        println!("{:#}", as_json(&status, &attention));
    } else {
        print!("{}", table::text(&status, &attention));
    }
    match attention.len() {
        0 => Ok(()),
        1 => bail!("one thing needs attention"),
        things => bail!("{things} things need attention"),
    }
}

/// Reads the cluster's state. A node that is only about to apply the newest commit, as in every moment of a busy cluster, is not
/// behind: it gets as long as a revocation would wait for it.
async fn read(options: &Options) -> Result<Status> {
    let first = Status::read(options).await?;
    let (head, ends) = (first.head, Instant::now() + first.lease);
    let mut status = first;
    loop {
        for node in &mut status.nodes {
            node.up_to_date |= node.acknowledged.is_some_and(|version| version >= head);
        }
        if status.nodes.iter().all(|node| node.up_to_date) || Instant::now() >= ends {
            return Ok(status);
        }
        sleep(LOOK_EVERY).await;
        status = Status::read(options).await?;
    }
}

/// How many revisions of etcd a node is behind the newest commit; `None` if it has not said anything yet.
fn lag(head: Version, acknowledged: Option<Version>, up_to_date: bool) -> Option<Version> {
    if up_to_date { Some(0) } else { acknowledged.map(|version| head.saturating_sub(version)) }
}

fn as_json(status: &Status, attention: &[String]) -> Value {
    let nodes = status.nodes.iter().map(|node| {
        json!({
            "id": node.id,
            "name": node.name,
            "release": node.release,
            "since": table::time(node.since_ms),
            "lag_revisions": lag(status.head, node.acknowledged, node.up_to_date),
            "registration_seconds": node.lease_seconds,
        })
    });
    let members = status.members.iter().map(|member| match &member.answer {
        Ok(answer) => json!({
            "url": member.url,
            "version": answer.version,
            "db_bytes": answer.db_bytes.0,
            "db_bytes_in_use": answer.db_bytes.1,
            "leader": answer.leads,
            "knows_leader": answer.has_leader,
            "errors": answer.errors,
        }),
        Err(error) => json!({"url": member.url, "error": error}),
    });
    let alarms = status.alarms.iter().map(|(alarm, member)| json!({"alarm": alarm, "member": member}));
    json!({
        "cluster": status.name,
        "lease_seconds": status.lease.as_secs_f64(),
        "head": status.head,
        "nodes": nodes.collect::<Vec<_>>(),
        "etcd": members.collect::<Vec<_>>(),
        "alarms": alarms.collect::<Vec<_>>(),
        "attention": attention,
    })
}

#[cfg(test)]
mod tests {
    use claviger_store_etcd::{MemberAnswer, MemberStatus, NodeStatus};

    use super::*;

    /// A healthy cluster of three nodes on three members.
    pub(super) fn healthy() -> Status {
        let node = |number: u64| NodeStatus {
            id: format!("{number:032x}"),
            name: format!("kms-{number}"),
            release: "0.1.0".into(),
            since_ms: 1_767_323_045_000 + number,
            acknowledged: Some(1200),
            up_to_date: true,
            lease_seconds: Some(4),
        };
        let member = |number: u64| MemberStatus {
            url: format!("http://10.0.0.{number}:2379"),
            answer: Ok(MemberAnswer {
                version: "3.5.17".into(),
                db_bytes: (64 << 20, 40 << 20),
                leads: number == 2,
                has_leader: true,
                errors: Vec::new(),
            }),
        };
        Status {
            name: Some("production".into()),
            lease: Duration::from_secs(2),
            head: 1200,
            nodes: (1..=3).map(node).collect(),
            members: (1..=3).map(member).collect(),
            alarms: Vec::new(),
        }
    }

    #[test]
    fn as_text() {
        let mut status = healthy();
        status.nodes[1].up_to_date = false;
        status.nodes[1].acknowledged = Some(1150);
        status.members[2].answer = Err("connection refused".into());
        status.alarms = vec![("NOSPACE".into(), "8e9e05c52164694d".into())];
        let attention = attention::all(&status);
        let expected = "\
cluster production: lease 2 s, newest commit 1200

NODE   RELEASE  SINCE                 LAG  REGISTERED FOR
kms-1  0.1.0    2026-01-02T03:04:05Z  0    4 s
kms-2  0.1.0    2026-01-02T03:04:05Z  50   4 s
kms-3  0.1.0    2026-01-02T03:04:05Z  0    4 s

ETCD                  VERSION  SIZE    IN USE  LEADER
http://10.0.0.1:2379  3.5.17   64 MiB  40 MiB  no
http://10.0.0.2:2379  3.5.17   64 MiB  40 MiB  yes
http://10.0.0.3:2379  does not answer: connection refused
";
        let text = table::text(&status, &attention);
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(text.matches("\n! ").count(), 3, "{text}");
    }

    #[test]
    fn as_json_for_programs() {
        let json = as_json(&healthy(), &[]);
        assert_eq!(json["nodes"][0]["lag_revisions"], 0);
        assert_eq!(json["nodes"][0]["since"], "2026-01-02T03:04:05Z");
        assert_eq!(json["etcd"][1]["leader"], true);
        assert_eq!(json["attention"], json!([]));
    }

    #[test]
    fn the_lag() {
        for (acknowledged, up_to_date, expected) in [
            (Some(10), true, Some(0)),
            (Some(10), false, Some(2)),
            (None, false, None),
            (None, true, Some(0)),
        ] {
            assert_eq!(lag(12, acknowledged, up_to_date), expected);
        }
    }
}
