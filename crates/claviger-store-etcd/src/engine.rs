//! The engine: what callers hold, and the thread that works for them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;

use claviger_store::{Answer, Batch, Engine, Observer, Page, Read, Scan, Stats, StoreError, Version};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};

use crate::ask;
use crate::check;
use crate::client::Client;
use crate::error::OpenError;
use crate::follow;
use crate::merge::{Commit, QUEUE_MAX, merge};
use crate::node;
use crate::options::Options;
use crate::read::revision;
use crate::shared::{Counters, Shared};
use crate::world::World;

/// One node's engine over an etcd cluster.
///
/// Opened, it reads and commits. It is [`Engine::fresh`], and one of the cluster's nodes, only once it has joined. Its work
/// goes on until it is dropped.
pub struct EtcdEngine {
    pub(crate) shared: Arc<Shared>,
    /// The revision that all scans read, where they must be of one moment; 0 before the first.
    pub(crate) pinned: Option<AtomicU64>,
    commits: mpsc::Sender<Commit>,
    joined: watch::Sender<Standing>,
}

/// Whether the node takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Aside,
    Joined,
}

/// Which moment an engine's scans show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// Each its own.
    Each,
    /// All that of the first.
    First,
}

impl EtcdEngine {
    /// Opens a store in etcd on a thread of its own: checks that the members are of one cluster that can be used and that the
    /// prefix is Claviger's or free. Writes nothing.
    pub async fn open(options: Options) -> Result<Arc<Self>, OpenError> {
        Self::on_a_thread(options, Moment::Each).await
    }

    /// Opens a store to read all of it as of one moment: every scan shows what the first one saw. etcd keeps that moment until
    /// it is compacted beyond it; a scan fails then.
    pub async fn inspect(options: Options) -> Result<Arc<Self>, OpenError> {
        Self::on_a_thread(options, Moment::First).await
    }

    /// The same on the caller's runtime: the future is the engine's work, and must be polled for as long as the engine is used.
    pub async fn start(
        options: Options,
        world: World,
    ) -> Result<(Arc<Self>, impl Future<Output = ()> + Send + 'static), OpenError> {
        Self::begin(options, world, Moment::Each).await
    }

    async fn on_a_thread(options: Options, moment: Moment) -> Result<Arc<Self>, OpenError> {
        let (opened, outcome) = oneshot::channel();
        let work = move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    let error = OpenError::Options(format!("a runtime cannot be started: {error}"));
                    let _ = opened.send(Err(error));
                    return;
                }
            };
            runtime.block_on(async move {
                match Self::begin(options, World::system(), moment).await {
                    Ok((engine, work)) => {
                        // Whoever asked may have given up; the engine is dropped then, and its work ends.
                        let _ = opened.send(Ok(engine));
                        Box::pin(work).await;
                    }
                    Err(error) => {
                        let _ = opened.send(Err(error));
                    }
                }
            });
        };
        let spawned = thread::Builder::new().name("etcd".into()).spawn(work);
        spawned.map_err(|error| OpenError::Options(format!("a thread cannot be started: {error}")))?;
        let died = || OpenError::Options("the engine's thread died; see the log".into());
        outcome.await.map_err(|_| died())?
    }

    async fn begin(
        options: Options,
        world: World,
        moment: Moment,
    ) -> Result<(Arc<Self>, impl Future<Output = ()> + Send + 'static), OpenError> {
        check::options(&options)?;
        let client = Client::new(&options, &world)?;
        let shared = Arc::new(Shared::new(options, client, world));
        check::members(&shared.client).await?;
        check::prefix(&shared).await?;
        follow::read_anew(&shared).await?;
        let (commits, queue) = mpsc::channel(QUEUE_MAX);
        let joined = watch::Sender::new(Standing::Aside);
        let work = work(Arc::clone(&shared), queue, joined.subscribe());
        let pinned = (moment == Moment::First).then(AtomicU64::default);
        let engine = Self { shared, pinned, commits, joined };
        Ok((Arc::new(engine), work))
    }

    async fn store(&self, batch: Batch) -> Result<Version, StoreError> {
        let (answer, outcome) = oneshot::channel();
        let commit = Commit::new(&self.shared.layout, batch, answer)?;
        if !commit.writes() {
            return self.check(commit).await;
        }
        // Nothing waits before this: from its first poll on, the batch is the engine's.
        self.commits.try_send(commit).map_err(|error| match error {
            TrySendError::Closed(_) => StoreError::Unavailable("the engine has ended".into()),
            TrySendError::Full(_) => StoreError::Unavailable("too many commits are waiting for etcd".into()),
        })?;
        // Dropped on its way: it may have been applied.
        let lost = |_| StoreError::OutcomeUnknown("the engine has ended".into());
        let stored = outcome.await.map_err(lost)??;
        self.shared.everywhere(stored.version, stored.at).await;
        Ok(stored.version)
    }

    /// Evaluates what a batch expects, and nothing else.
    async fn check(&self, commit: Commit) -> Result<Version, StoreError> {
        let answer = self.shared.client.read(commit.into_check(), self.shared.options.deadline).await?;
        let version = revision(&self.shared, answer.header.as_ref())?;
        if answer.succeeded {
            return Ok(version);
        }
        Counters::add(&self.shared.counters.conflicts, 1);
        Err(StoreError::Conflict)
    }

    /// Waits for everybody to apply the newest commit there is.
    async fn all_settled(&self) -> Result<(), StoreError> {
        let heads = ask::all(self.shared.layout.heads());
        let answer = self.shared.client.range(heads).await?;
        revision(&self.shared, answer.header.as_ref())?;
        let at = self.shared.world.now();
        let head = answer.kvs.iter().map(|kv| kv.mod_revision.unsigned_abs()).max().unwrap_or(0);
        self.shared.everywhere(head, at).await;
        Ok(())
    }

    async fn enter(&self) -> Result<(), StoreError> {
        check::found(&self.shared).await?;
        self.joined.send_replace(Standing::Joined);
        let ends = tokio::time::Instant::now() + 2 * self.shared.options.deadline;
        while !self.shared.fresh() {
            if tokio::time::Instant::now() >= ends {
                let why = "this node could not make sure that it is up to date; the log says why";
                return Err(StoreError::Unavailable(why.into()));
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

/// Everything that goes on beside the callers, until the engine is dropped.
async fn work(shared: Arc<Shared>, queue: mpsc::Receiver<Commit>, mut joined: watch::Receiver<Standing>) {
    let membership = {
        let shared = Arc::clone(&shared);
        let mut joined = joined.clone();
        async move {
            if joined.wait_for(|standing| *standing == Standing::Joined).await.is_err() {
                return;
            }
            tokio::join!(
                node::stay(Arc::clone(&shared)),
                node::keep_alive(Arc::clone(&shared)),
                node::acknowledge(shared)
            );
        }
    };
    let dropped = async move { while joined.changed().await.is_ok() {} };
    let all = async { tokio::join!(follow::follow(Arc::clone(&shared)), merge(shared, queue), membership) };
    tokio::select! {
        biased;
        () = dropped => {}
        _ = all => {}
    }
}

impl Engine for EtcdEngine {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Read> {
        Box::pin(self.read(key))
    }

    fn guess<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Read> {
        Box::pin(self.guessed(key))
    }

    fn scan<'a>(&'a self, scan: Scan<'a>) -> Answer<'a, Page> {
        Box::pin(self.page(scan))
    }

    fn commit(&self, batch: Batch) -> Answer<'_, Version> {
        Box::pin(self.store(batch))
    }

    fn settle(&self) -> Answer<'_, ()> {
        Box::pin(self.all_settled())
    }

    fn observe(&self, observer: Observer) {
        self.shared.observers.add(observer);
    }

    fn stats(&self) -> Stats {
        self.shared.counters.stats()
    }

    fn fresh(&self) -> bool {
        self.shared.fresh()
    }

    fn live_nodes(&self) -> u32 {
        self.shared.live_nodes()
    }

    fn join(&self) -> Answer<'_, ()> {
        Box::pin(self.enter())
    }

    fn leave(&self) -> Answer<'_, ()> {
        Box::pin(node::leave(&self.shared))
    }
}

impl fmt::Debug for EtcdEngine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EtcdEngine")
            .field("endpoints", &self.shared.options.endpoints)
            .field("prefix", &self.shared.options.prefix)
            .finish_non_exhaustive()
    }
}
