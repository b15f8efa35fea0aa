//! Watches. Each stream has one task, which tells its watches what happened, in order, whole revisions at a time.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::Member;
use super::cluster::{ELECTION, Standing, State, wants_leader};
use super::refusal::Refusal;
use super::span::Span;
use crate::proto::etcdserverpb::watch_request::RequestUnion;
use crate::proto::etcdserverpb::watch_server::Watch;
use crate::proto::etcdserverpb::{ResponseHeader, WatchCreateRequest, WatchRequest, WatchResponse};
use crate::proto::mvccpb::Event;

/// How long a stream whose client asked for a leader goes on without one.
const LEADERLESS: Duration = ELECTION.saturating_mul(3);

type Answer = Result<WatchResponse, Status>;

#[tonic::async_trait]
impl Watch for Member {
    type WatchStream = ReceiverStream<Answer>;

    async fn watch(
        &self,
        request: Request<Streaming<WatchRequest>>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let (metadata, _, requests) = request.into_parts();
        let token = metadata.get("token").and_then(|token| token.to_str().ok());
        self.shared.state().access.admit(token)?;
        let (answers, stream) = mpsc::channel(16);
        let stream_of = Watching {
            member: self.clone(),
            wants_leader: wants_leader(&metadata),
            watchers: BTreeMap::new(),
            next_id: 0,
        };
        tokio::spawn(stream_of.run(requests, answers));
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// One stream of watches.
struct Watching {
    member: Member,
    wants_leader: bool,
    watchers: BTreeMap<i64, Watcher>,
    next_id: i64,
}

struct Watcher {
    span: Span,
    /// The first revision that it was not told of.
    next: i64,
}

/// What can be told now.
#[derive(Default)]
struct News {
    answers: Vec<WatchResponse>,
    /// When there may be more without anything happening.
    again: Option<Duration>,
}

impl Watching {
    async fn run(mut self, mut requests: Streaming<WatchRequest>, answers: mpsc::Sender<Answer>) {
        let member = self.member.clone();
        loop {
            let changed = member.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let now = member.shared.now();
            let news = match self.news(now) {
                Ok(news) => news,
                Err(refusal) => {
                    let _hung_up = answers.send(Err(refusal.into())).await;
                    return;
                }
            };
            if !news.answers.is_empty() {
                for answer in news.answers {
                    if answers.send(Ok(answer)).await.is_err() {
                        return;
                    }
                }
                continue;
            }
            let again = news.again.map(|again| again.saturating_sub(now));
            tokio::select! {
                biased;
                () = answers.closed() => return,
                request = requests.message() => match request {
                    Ok(Some(request)) => {
                        let answer = self.ask(request, now);
                        if let Some(answer) = answer && answers.send(Ok(answer)).await.is_err() {
                            return;
                        }
                    }
                    Ok(None) | Err(_) => return,
                },
                () = &mut changed => {}
                () = tokio::time::sleep(again.unwrap_or_default()), if again.is_some() => {}
            }
        }
    }

    fn ask(&mut self, request: WatchRequest, now: Duration) -> Option<WatchResponse> {
        let (newest, header) = {
            let state = self.member.shared.state();
            let newest = self.member.newest(&state, now);
            (newest, Some(self.member.header(&state, newest)))
        };
        match request.request_union? {
            RequestUnion::CreateRequest(create) => {
                Some(WatchResponse { header, ..self.create(&create, newest) })
            }
            RequestUnion::CancelRequest(cancel) => {
                self.watchers.remove(&cancel.watch_id)?;
                let watch_id = cancel.watch_id;
                Some(WatchResponse { header, watch_id, canceled: true, ..WatchResponse::default() })
            }
        }
    }

    fn create(&mut self, request: &WatchCreateRequest, newest: i64) -> WatchResponse {
        // An empty key stands for the smallest one.
        let key = if request.key.is_empty() { b"\0".as_slice() } else { &request.key };
        let span = Span::new(key, &request.range_end);
        let taken = request.watch_id != 0 && self.watchers.contains_key(&request.watch_id);
        if taken || span.bounds().is_none() {
            let (created, canceled) = (true, true);
            return WatchResponse { watch_id: -1, created, canceled, ..WatchResponse::default() };
        }
        let watch_id = match request.watch_id {
            0 => {
                while self.watchers.contains_key(&self.next_id) {
                    self.next_id += 1;
                }
                self.next_id
            }
            id => id,
        };
        let next = if request.start_revision > 0 { request.start_revision } else { newest + 1 };
        self.watchers.insert(watch_id, Watcher { span, next });
        WatchResponse { watch_id, created: true, ..WatchResponse::default() }
    }

    fn news(&mut self, now: Duration) -> Result<News, Refusal> {
        let Self { member, wants_leader, watchers, .. } = self;
        let state = member.shared.state();
        let mut news = News::default();
        if let Standing::CutOff(cut_off) = state.cluster.standing(member.number, now)
            && *wants_leader
        {
            let ends = cut_off.since + LEADERLESS;
            if now >= ends {
                return Err(Refusal::NoLeader);
            }
            news.again = Some(ends);
        }
        if state.watches.held {
            return Ok(news);
        }
        let newest = member.newest(&state, now);
        let lag = state.watches.lag.get(&member.number).copied().unwrap_or_default();
        let sight = Sight { newest, lag, now, catch_up: state.watches.catch_up };
        let answer =
            WatchResponse { header: Some(member.header(&state, newest)), ..WatchResponse::default() };
        let compact_revision = state.store.compacted();
        watchers.retain(|&watch_id, watcher| {
            // A member that is cut off has not heard of a newer compaction.
            let gone = watcher.next < compact_revision && compact_revision <= newest;
            if gone {
                // etcd names no revision here.
                let header = answer.header.map(|header| ResponseHeader { revision: 0, ..header });
                news.answers.push(WatchResponse {
                    header,
                    watch_id,
                    canceled: true,
                    compact_revision,
                    ..WatchResponse::default()
                });
            }
            !gone
        });
        for (&watch_id, watcher) in watchers {
            let events = watcher.see(&state, &sight, &mut news.again);
            if !events.is_empty() {
                news.answers.push(WatchResponse { watch_id, events, ..answer.clone() });
            }
        }
        Ok(news)
    }
}

/// How far a watch sees.
struct Sight {
    newest: i64,
    lag: Duration,
    now: Duration,
    catch_up: usize,
}

impl Watcher {
    /// What it is told next: some whole revisions.
    fn see(&mut self, state: &State, sight: &Sight, again: &mut Option<Duration>) -> Vec<Event> {
        let mut told = Vec::new();
        let mut revisions = 0;
        for (revision, happened) in state.store.since(self.next) {
            if revision > sight.newest || revisions == sight.catch_up {
                break;
            }
            let seen = happened.at + sight.lag;
            if seen > sight.now {
                *again = Some(again.map_or(seen, |again| again.min(seen)));
                break;
            }
            self.next = revision + 1;
            let before = told.len();
            let of_ours = happened
                .events
                .iter()
                .filter(|event| event.kv.as_ref().is_some_and(|kv| self.span.contains(&kv.key)));
            told.extend(of_ours.cloned());
            revisions += usize::from(told.len() > before);
        }
        told
    }
}
