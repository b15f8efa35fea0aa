//! The state that all members share, who of them can reach it, and the way of a request through it.

use std::collections::BTreeMap;
use std::time::Duration;

use tonic::metadata::MetadataMap;
use tonic::{Response, Status};

use super::auth::Access;
use super::leases::Leases;
use super::refusal::Refusal;
use super::span::Span;
use super::store::{Store, Tombstones};
use super::{Call, Delay, Delays, Member};
use crate::proto::etcdserverpb::ResponseHeader;

/// How long members take to see that their leader is gone, and to have a new one.
pub const ELECTION: Duration = Duration::from_secs(1);
/// How long a member waits for the others with one request.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(7);

/// All that the cluster knows.
pub(super) struct State {
    pub(super) store: Store,
    pub(super) leases: Leases,
    pub(super) cluster: Cluster,
    pub(super) access: Access,
    pub(super) watches: Watches,
    pub(super) delays: Option<Delays>,
    pub(super) tombstones: Tombstones,
    pub(super) no_space: bool,
    pub(super) version: String,
}

/// How watches tell.
pub(super) struct Watches {
    pub(super) held: bool,
    /// Most revisions told at once by a watch that catches up.
    pub(super) catch_up: usize,
    pub(super) lag: BTreeMap<u64, Duration>,
}

impl State {
    pub(super) fn new(members: u64) -> Self {
        Self {
            store: Store::new(),
            leases: Leases::default(),
            cluster: Cluster::new(members),
            access: Access::default(),
            watches: Watches { held: false, catch_up: 1000, lag: BTreeMap::new() },
            delays: None,
            tombstones: Tombstones::default(),
            no_space: false,
            version: "3.5.99".to_owned(),
        }
    }

    /// Ends a lease and deletes its keys, in one revision.
    pub(super) fn end_lease(&mut self, id: i64, now: Duration) -> bool {
        let ended = self.leases.remove(id);
        if ended {
            let all = self.store.span_at(&Span::new(b"\0", b"\0"), self.store.revision());
            let attached: Vec<_> =
                all.into_iter().filter(|kv| kv.lease == id).map(|kv| kv.key.clone()).collect();
            let mut writing = self.store.write();
            for key in attached {
                writing.delete(&Span::new(&key, b""));
            }
            writing.finish(now);
        }
        ended
    }

    /// Ends the leases that have run out, unless nobody is there to do it; answers whether there were any.
    pub(super) fn expire(&mut self, now: Duration) -> bool {
        let serving = self.cluster.serves(now);
        let ended = if serving { self.leases.ended(now) } else { Vec::new() };
        for id in &ended {
            self.end_lease(*id, now);
        }
        !ended.is_empty()
    }

    pub(super) fn isolate(&mut self, member: u64, now: Duration) {
        let since = CutOff { since: now, revision: self.store.revision() };
        if self.cluster.isolate(member, since) {
            self.leases.extend_all(now + ELECTION);
        }
    }

    pub(super) fn rejoin(&mut self, member: u64, now: Duration) {
        if self.cluster.rejoin(member, now) {
            self.leases.extend_all(now + ELECTION);
        }
    }
}

/// The members and what parts them.
pub(super) struct Cluster {
    members: u64,
    isolated: BTreeMap<u64, CutOff>,
    /// Set while no majority is together.
    stalled: Option<CutOff>,
    leader: u64,
    /// When the election that goes on is over.
    elected: Duration,
    term: u64,
}

/// Since when a member is without the others, and what it last knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CutOff {
    pub(super) since: Duration,
    pub(super) revision: i64,
}

/// Whether a member can serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    CutOff(CutOff),
    Electing { until: Duration },
    Serving,
}

impl Cluster {
    fn new(members: u64) -> Self {
        Self {
            members,
            isolated: BTreeMap::new(),
            stalled: None,
            leader: 1,
            elected: Duration::ZERO,
            term: 2,
        }
    }

    pub(super) fn has(&self, member: u64) -> bool {
        (1..=self.members).contains(&member)
    }

    pub(super) fn leader(&self) -> Option<u64> {
        self.stalled.is_none().then_some(self.leader)
    }

    pub(super) fn term(&self) -> u64 {
        self.term
    }

    pub(super) fn standing(&self, member: u64, now: Duration) -> Standing {
        match self.isolated.get(&member).or(self.stalled.as_ref()) {
            Some(cut_off) => Standing::CutOff(*cut_off),
            None if now < self.elected => Standing::Electing { until: self.elected },
            None => Standing::Serving,
        }
    }

    fn serves(&self, now: Duration) -> bool {
        self.stalled.is_none() && now >= self.elected
    }

    /// Answers whether that makes the others elect a new leader.
    fn isolate(&mut self, member: u64, cut_off: CutOff) -> bool {
        self.isolated.entry(member).or_insert(cut_off);
        if !self.has_majority() {
            self.stalled.get_or_insert(cut_off);
            return false;
        }
        member == self.leader && self.elect(cut_off.since)
    }

    /// Answers whether that lets a majority elect a leader again.
    fn rejoin(&mut self, member: u64, now: Duration) -> bool {
        self.isolated.remove(&member);
        self.has_majority() && self.stalled.take().is_some() && self.elect(now)
    }

    fn elect(&mut self, now: Duration) -> bool {
        let together = (1..=self.members).find(|member| !self.isolated.contains_key(member));
        self.leader = together.unwrap_or(self.leader);
        self.elected = now + ELECTION;
        self.term += 1;
        true
    }

    fn has_majority(&self) -> bool {
        let isolated = u64::try_from(self.isolated.len()).unwrap_or(u64::MAX);
        self.members.saturating_sub(isolated) * 2 > self.members
    }
}

/// Whether a request needs the other members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The member alone answers, from what it knows.
    Alone,
    /// A majority must agree.
    Cluster,
}

impl Member {
    /// Answers a request of a client that may be asked who it is.
    pub(super) async fn answer<T: Send + 'static>(
        &self,
        metadata: &MetadataMap,
        method: &'static str,
        reach: Reach,
        effect: impl FnOnce(&mut State, Duration) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let token = metadata.get("token").and_then(|token| token.to_str().ok());
        let token = token.map(str::to_owned);
        let effect = move |state: &mut State, now| {
            state.access.admit(token.as_deref())?;
            effect(state, now)
        };
        self.answer_anyone(metadata, method, reach, effect).await
    }

    /// The way of every single request: its delay, its place in the order of things, its effect, its delay again. It goes on
    /// although its client hangs up.
    pub(super) async fn answer_anyone<T: Send + 'static>(
        &self,
        metadata: &MetadataMap,
        method: &'static str,
        reach: Reach,
        effect: impl FnOnce(&mut State, Duration) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let wants_leader = wants_leader(metadata);
        let member = self.clone();
        let task = tokio::spawn(async move {
            let delays = member.shared.state().delays.clone();
            let call = Call { member: member.number, method };
            let delay = delays.map_or(Delay::default(), |delays| delays(call));
            pause(delay.before).await;
            member.reach(reach, wants_leader).await?;
            let outcome = member.shared.change(effect);
            pause(delay.after).await;
            member.reach(reach, wants_leader).await?;
            outcome.map(Response::new).map_err(Status::from)
        });
        task.await.unwrap_or_else(|error| Err(Status::internal(error.to_string())))
    }

    /// Waits until the cluster can be asked.
    async fn reach(&self, reach: Reach, wants_leader: bool) -> Result<(), Refusal> {
        if reach == Reach::Alone {
            return Ok(());
        }
        let given_up = self.shared.now() + REQUEST_TIMEOUT;
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let now = self.shared.now();
            if now >= given_up {
                return Err(Refusal::Timeout);
            }
            let standing = self.shared.state().cluster.standing(self.number, now);
            let next = match standing {
                Standing::Serving => return Ok(()),
                Standing::Electing { until } => until,
                Standing::CutOff(cut_off) if wants_leader => {
                    let known = cut_off.since + ELECTION;
                    if now >= known {
                        return Err(Refusal::NoLeader);
                    }
                    known
                }
                Standing::CutOff(_) => given_up,
            };
            tokio::select! {
                biased;
                () = &mut changed => {}
                () = tokio::time::sleep(next.min(given_up).saturating_sub(now)) => {}
            }
        }
    }

    /// The newest revision that this member knows of.
    pub(super) fn newest(&self, state: &State, now: Duration) -> i64 {
        match state.cluster.standing(self.number, now) {
            Standing::CutOff(cut_off) => cut_off.revision,
            Standing::Electing { .. } | Standing::Serving => state.store.revision(),
        }
    }

    /// The header of an answer.
    pub(super) fn header(&self, state: &State, revision: i64) -> ResponseHeader {
        let cluster_id = self.shared.cluster_id;
        ResponseHeader { cluster_id, member_id: self.number, revision, raft_term: state.cluster.term() }
    }
}

/// Whether the client wants an error rather than wait for a leader.
pub(super) fn wants_leader(metadata: &MetadataMap) -> bool {
    metadata.get("hasleader").is_some_and(|value| value == "true")
}

async fn pause(span: Duration) {
    if !span.is_zero() {
        tokio::time::sleep(span).await;
    }
}
