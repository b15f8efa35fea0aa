//! What an operator should do something about, each in a sentence that says what.

use claviger_store_etcd::{MemberAnswer, NodeStatus, Status};

/// Below this a database is not worth defragmenting.
const FRAGMENTED_BYTES: u64 = 256 << 20;
/// Near etcd's default quota of 2 GiB.
const LARGE_BYTES: u64 = 1_717_986_918;

/// All of it; empty for a healthy cluster.
pub(super) fn all(status: &Status) -> Vec<String> {
    let mut found = Vec::new();
    if status.nodes.is_empty() {
        found.push("no node serves; start one, and read its log if it does not stay".to_owned());
    }
    found.extend(status.nodes.iter().filter(|node| !node.up_to_date).map(|node| behind(node, status)));
    let silent = status.members.iter().filter(|member| member.answer.is_err()).count();
    for member in &status.members {
        match &member.answer {
            Ok(answer) => found.extend(of_member(&member.url, answer)),
            Err(error) => found.push(format!(
                "etcd at {} does not answer ({error}); bring it back: of {} endpoints {} may be away, and {silent} are",
                member.url,
                status.members.len(),
                status.members.len().saturating_sub(1) / 2,
            )),
        }
    }
    found.extend(status.alarms.iter().map(|(alarm, member)| of_alarm(alarm, member)));
    found
}

fn behind(node: &NodeStatus, status: &Status) -> String {
    format!(
        "node {} has not applied commit {}, so that every change waits up to {} s for it; look at its log and its connection to \
         etcd, or stop it",
        node.name,
        status.head,
        status.lease.as_secs_f64() * 1.2
    )
}

fn of_member(url: &str, answer: &MemberAnswer) -> Vec<String> {
    let mut found = Vec::new();
    if !answer.has_leader {
        found.push(format!(
            "etcd at {url} knows no leader: it has no majority, and takes no writes; bring the other members back"
        ));
    }
    let (bytes, used) = answer.db_bytes;
    if bytes > FRAGMENTED_BYTES && used < bytes / 2 {
        found.push(format!(
            "more than half of etcd's database at {url} is free; give the space back with `etcdctl defrag --endpoints {url}`"
        ));
    } else if used > LARGE_BYTES {
        found.push(format!(
            "etcd's database at {url} is close to the default quota of 2 GiB; raise --quota-backend-bytes, and see that \
             --auto-compaction-retention is set"
        ));
    }
    found.extend(answer.errors.iter().map(|error| format!("etcd at {url} complains: {error}")));
    found
}

fn of_alarm(alarm: &str, member: &str) -> String {
    match alarm {
        "NOSPACE" => format!(
            "etcd member {member} is out of space: nothing can be changed, what is there is served; compact, defragment or \
             raise --quota-backend-bytes, then `etcdctl alarm disarm`"
        ),
        "CORRUPT" => format!(
            "etcd member {member} has found its data damaged; remove the member, delete its data and add it anew"
        ),
        _ => format!("etcd member {member} has the alarm {alarm}; see `etcdctl alarm list`"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::healthy;
    use super::*;

    fn member(status: &mut Status) -> &mut MemberAnswer {
        status.members[0].answer.as_mut().expect("healthy")
    }

    #[test]
    fn a_healthy_cluster_needs_none() {
        assert_eq!(all(&healthy()), Vec::<String>::new());
    }

    #[test]
    fn each_trouble_is_told_with_what_to_do() {
        type Trouble = (fn(&mut Status), &'static str);
        let troubles: [Trouble; 9] = [
            (|status| status.nodes.clear(), "no node serves; start one"),
            (|status| status.nodes[1].up_to_date = false, "node kms-2 has not applied commit 1200"),
            (
                |status| status.members[0].answer = Err("refused".into()),
                "of 3 endpoints 1 may be away, and 1 are",
            ),
            (|status| member(status).has_leader = false, "knows no leader"),
            (|status| member(status).db_bytes = (1 << 30, 1 << 28), "etcdctl defrag"),
            (|status| member(status).db_bytes = (2 << 30, 2 << 30), "raise --quota-backend-bytes"),
            (|status| member(status).errors.push("slow disk".into()), "complains: slow disk"),
            (|status| status.alarms.push(("NOSPACE".into(), "1".into())), "alarm disarm"),
            (|status| status.alarms.push(("CORRUPT".into(), "1".into())), "add it anew"),
        ];
        for (spoil, expected) in troubles {
            let mut status = healthy();
            spoil(&mut status);
            let found = all(&status);
            assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:?}");
        }
    }
}
