//! After the load: the last state of everything, what the history proves, and how long there was no service.

use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::line::{Ask, Line, Told, Tongue, encrypt};
use super::load::{self, Event, Kind, OWN_USER, STEADY_KEY, TAGS, World};
use crate::caller::text;
use crate::cluster::Cluster;
use crate::history::{Act, OFF, ON, Object, Op, Verdict, judge, kept};

/// Told to a write whose outcome the node itself does not know.
const UNKNOWN_OUTCOME: [&str; 3] = ["APIGW.0802", "InternalError", "KMS.0101"];

/// What became of a scenario.
#[derive(Debug)]
pub struct Report {
    tally: String,
    /// Longest time in which no node served, and the longest of one node.
    gap: Duration,
    gap_of_one: Duration,
    write_gap: Duration,
    born: usize,
    verdict: Verdict,
}

impl fmt::Display for Report {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { objects, ops, uneven, .. } = self.verdict;
        writeln!(to, "    told: {}", self.tally)?;
        writeln!(
            to,
            "    longest gap in service: {:.2} s anywhere, {:.2} s of one node; between writes {:.2} s",
            self.gap.as_secs_f64(),
            self.gap_of_one.as_secs_f64(),
            self.write_gap.as_secs_f64()
        )?;
        write!(
            to,
            "    judged: {ops} operations on {objects} objects, linearizable on every node ({uneven} uneven while written); \
             revocations held; all acknowledged writes there, {} keys made",
            self.born
        )
    }
}

/// Looks at everything once more on every node, then judges.
pub fn conclude(cluster: &Cluster, world: &World) -> Result<Report> {
    let events = world.events();
    let tally = world.tally();
    let tally: Vec<String> =
        tally.iter().map(|((kind, told), count)| format!("{kind} {told} {count}")).collect();
    let tally = tally.join(", ");
    refuse_strange(&events).with_context(|| tally.clone())?;
    cluster.await_ready()?;
    let before = world.ops();
    let mut lost = Vec::new();
    for node in 0..cluster.len() {
        let states =
            last_states(world, node).with_context(|| format!("the last look at node {}", node + 1))?;
        for (object, value) in states {
            let of_object: Vec<Op> = before.iter().filter(|op| op.object == object).copied().collect();
            lost.extend(
                kept(&of_object, value).map(|text| format!("{text}\n      as node {} says", node + 1)),
            );
        }
    }
    let verdict = judge(&world.ops());
    let mut violations = verdict.violations.clone();
    violations.extend(lost);
    if let Some(first) = violations.first() {
        bail!("{} violations ({tally}); the first: {first}", violations.len());
    }
    let served = |event: &&Event| {
        event.kind == Kind::Use && matches!(event.told, Told::CredentialsOff | Told::Done | Told::KeyOff)
    };
    let until = world.until();
    let of_one = |node| longest_gap(events.iter().filter(served).filter(|event| event.node == node), until);
    let writes = events.iter().filter(|event| event.kind == Kind::Write && event.told == Told::Done);
    Ok(Report {
        tally,
        gap: longest_gap(events.iter().filter(served), until),
        gap_of_one: (0..cluster.len()).map(of_one).max().unwrap_or_default(),
        write_gap: longest_gap(writes, until),
        born: world.born().len(),
        verdict,
    })
}

/// No client may be told what a healthy cluster has no reason to say; a write may be told that its outcome is unknown.
fn refuse_strange(events: &[Event]) -> Result<()> {
    for event in events {
        if let Told::Other(code) = &event.told {
            let known = event.kind == Kind::Write && UNKNOWN_OUTCOME.contains(&code.as_str());
            ensure!(known, "a {:?} at node {} was told {code}", event.kind, event.node + 1);
        }
    }
    Ok(())
}

/// The longest time between the ends of two that follow each other, and to the end.
fn longest_gap<'a>(events: impl Iterator<Item = &'a Event>, until: Duration) -> Duration {
    let mut ends: Vec<Duration> = events.map(|event| event.end).filter(|end| *end < until).collect();
    ends.push(until);
    ends.sort_unstable();
    ends.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max().unwrap_or(until)
}

/// The state of all objects as that node says, recorded too; every key that was made has to be there, and the node has to serve.
fn last_states(world: &World, node: usize) -> Result<Vec<(Object, u64)>> {
    let nodes = [world.nodes[node]];
    let mut line = Line::new(world.account.root(), world.clock);
    let mut states = Vec::new();
    for (number, key) in world.keys.iter().enumerate() {
        let answer = ask(&mut line, &nodes, "kms", "DescribeKey", &json!({"KeyId": key}))?;
        let state = text(&answer.1, "/KeyMetadata/KeyState")?;
        states.push((Object::Key(number), if state == "Enabled" { ON } else { OFF }, answer.0));
    }
    for user in 0..=OWN_USER {
        let body = json!({"TargetUin": world.account.user_uin(user)});
        let answer = ask(&mut line, &nodes, "cam", "ListAccessKeys", &body)?;
        let active = text(&answer.1, "/AccessKeys/0/Status")? == "Active";
        states.push((Object::AccessKey(user), if active { ON } else { OFF }, answer.0));
    }
    for (object, value, sent) in &states {
        world.record(Kind::Use, sent, &[(*object, Act::Read(*value))]);
    }
    let mut states: Vec<(Object, u64)> =
        states.into_iter().map(|(object, value, _)| (object, value)).collect();
    let sent = load::read_once(world, &mut line, &nodes).context("nobody listens")?;
    let tags = world.ops();
    for tag in (0..TAGS).map(Object::Tag) {
        let last = tags.iter().rev().find(|op| op.object == tag && op.start == sent.start);
        let Some(Act::Read(value)) = last.map(|op| op.act) else { bail!("no {tag:?}: {:?}", sent.told) };
        states.push((tag, value));
    }
    for key in world.born() {
        ask(&mut line, &nodes, "kms", "DescribeKey", &json!({"KeyId": key}))
            .context("a key that was made")?;
    }
    let project = world.account.project_id();
    for tongue in [Tongue::Huawei, Tongue::Tencent] {
        let sent = encrypt(&mut line, &nodes, tongue, &project, &world.keys[STEADY_KEY]);
        let told = sent.context("nobody listens")?.told;
        ensure!(told == Told::Done, "it does not serve at the end: {told:?}");
    }
    Ok(states)
}

fn ask(
    line: &mut Line,
    nodes: &[std::net::SocketAddr],
    service: &str,
    action: &str,
    body: &Value,
) -> Result<(super::line::Sent, Value)> {
    let sent = line.ask(nodes, Ask::Tencent { service, action }, body).context("nobody listens")?;
    ensure!(sent.told == Told::Done, "{action}: {:?}", sent.told);
    let answer = sent.answer.clone();
    Ok((sent, answer))
}
