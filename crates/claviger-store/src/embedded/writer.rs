//! The one thread that writes: it takes the batches that wait, commits them in one durable write, and tells.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use redb::{CommitError, Database, ReadableTable, Table};
use tokio::sync::{mpsc, oneshot};

use super::layout::{self, COMMIT, META, RECORDS};
use super::{Shared, count};
use crate::limits;
use crate::{Batch, Change, StoreError, Version};

/// The most batches that may wait. One more is refused, so that a slow disk sheds load instead of filling memory.
pub(super) const QUEUED_BATCHES_MAX: usize = 1024;
/// The most batches that share one durable write.
pub(super) const GROUP_BATCHES_MAX: usize = 128;
/// A group takes no more batches once it has this many bytes to put.
const GROUP_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The handle to the writer thread. Dropping it lets the thread finish what is queued, and waits for that.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Queued>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(shared: Arc<Shared>, quick_repair: bool) -> Result<Self, StoreError> {
        let (queue, waiting) = mpsc::channel(QUEUED_BATCHES_MAX);
        let attempted = shared.file.kept();
        let run = move || WriterThread { shared, quick_repair, attempted }.run(waiting);
        let thread = thread::Builder::new().name("store-writer".into()).spawn(run);
        let thread = thread.map_err(|error| StoreError::Unavailable(format!("no thread: {error}")))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Queues `batch` and waits for its outcome. Once queued it runs to its end whether or not anyone waits.
    pub(super) async fn commit(&self, batch: Batch) -> Result<Version, StoreError> {
        limits::check(&batch)?;
        let (answer, outcome) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.try_send(Queued { batch, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Closed(_) => stopped(),
            mpsc::error::TrySendError::Full(_) => {
                StoreError::Unavailable(format!("{QUEUED_BATCHES_MAX} batches are waiting already"))
            }
        })?;
        outcome.await.unwrap_or_else(|_| Err(StoreError::OutcomeUnknown("the writer has stopped".into())))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        let Some(thread) = self.thread.take() else { return };
        // An observer may hold the last reference to the engine; the thread cannot wait for itself.
        if thread.thread().id() != thread::current().id() && thread.join().is_err() {
            tracing::error!("the store's writer had stopped on a panic");
        }
    }
}

struct Queued {
    batch: Batch,
    answer: oneshot::Sender<Result<Version, StoreError>>,
}

struct WriterThread {
    shared: Arc<Shared>,
    quick_repair: bool,
    /// The newest version ever given to a batch, stored or not: none is given twice.
    attempted: Version,
}

impl WriterThread {
    fn run(mut self, mut waiting: mpsc::Receiver<Queued>) {
        while let Some(first) = waiting.blocking_recv() {
            let group = collect(first, &mut waiting);
            self.write(group);
        }
    }

    fn write(&mut self, group: Vec<Queued>) {
        let file = &self.shared.file;
        let staged = file.recover().and_then(|()| {
            file.with(|database| commit_group(database, &group, self.attempted, self.quick_repair))
        });
        match staged {
            Ok(Written { verdicts, newest, outcome: Ok(()) }) => {
                self.attempted = self.attempted.max(newest);
                self.acknowledge(group, verdicts, newest);
            }
            Ok(Written { verdicts, newest, outcome: Err(error) }) => {
                self.attempted = newest;
                self.give_up(group, verdicts, &error);
            }
            Err(error) => {
                for queued in group {
                    reply(queued.answer, Err(error.clone()));
                }
            }
        }
    }

    fn acknowledge(&self, group: Vec<Queued>, verdicts: Vec<Verdict>, newest: Version) {
        let Shared { file, observers, counters } = &*self.shared;
        file.keep(newest);
        if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Committed(_))) {
            count(&counters.flushes, 1);
        }
        for (queued, verdict) in group.into_iter().zip(verdicts) {
            if let Verdict::Committed(version) = verdict {
                count(&counters.commits, 1);
                count(&counters.bytes_committed, limits::bytes_put(&queued.batch) as u64);
                let keys: Vec<Vec<u8>> = queued.batch.put.into_iter().map(|(key, _)| key).collect();
                observers.tell(&Change::Committed { version, keys: &keys });
            }
            if verdict == Verdict::Conflict {
                count(&counters.conflicts, 1);
            }
            reply(queued.answer, verdict.answer());
        }
    }

    /// The durable write failed: it may be in the file or not. Only opening the file anew brings certainty for
    /// those who read next; the batches themselves stay unknown.
    fn give_up(&self, group: Vec<Queued>, verdicts: Vec<Verdict>, error: &CommitError) {
        tracing::error!(%error, batches = group.len(), "a commit failed; its outcome is unknown");
        let reason = StoreError::Unavailable(error.to_string());
        let at = self.shared.file.renew(&reason).unwrap_or(self.attempted);
        self.shared.observers.tell(&Change::Lost { at });
        for (queued, verdict) in group.into_iter().zip(verdicts) {
            // A conflict was never part of the write.
            let answer = match verdict {
                Verdict::Conflict => verdict.answer(),
                Verdict::Checked(_) | Verdict::Committed(_) => {
                    count(&self.shared.counters.unknown, 1);
                    Err(StoreError::OutcomeUnknown(error.to_string()))
                }
            };
            reply(queued.answer, answer);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Everything expected held and there was nothing to put; the newest commit at that point.
    Checked(Version),
    Committed(Version),
    Conflict,
}

impl Verdict {
    fn answer(self) -> Result<Version, StoreError> {
        match self {
            Self::Checked(version) | Self::Committed(version) => Ok(version),
            Self::Conflict => Err(StoreError::Conflict),
        }
    }
}

/// What became of a group: a verdict for each batch, which counts only if the outcome is `Ok`.
struct Written {
    verdicts: Vec<Verdict>,
    newest: Version,
    outcome: Result<(), CommitError>,
}

fn collect(first: Queued, waiting: &mut mpsc::Receiver<Queued>) -> Vec<Queued> {
    let mut bytes = limits::bytes_put(&first.batch);
    let mut group = vec![first];
    while group.len() < GROUP_BATCHES_MAX && bytes < GROUP_BYTES_MAX {
        let Ok(next) = waiting.try_recv() else { break };
        bytes += limits::bytes_put(&next.batch);
        group.push(next);
    }
    group
}

/// Commits the batches of a group one after the other in one transaction; each sees those before it. An error means
/// that nothing was applied; a failed commit is in the answer's `outcome`.
fn commit_group(
    database: &Database,
    group: &[Queued],
    attempted: Version,
    quick_repair: bool,
) -> Result<Written, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(quick_repair);
    let mut verdicts = Vec::with_capacity(group.len());
    let mut records = transaction.open_table(RECORDS)?;
    let mut meta = transaction.open_table(META)?;
    let stored = layout::number(&meta, COMMIT)?;
    let mut newest = stored;
    for Queued { batch, .. } in group {
        let verdict = if !holds(&records, batch)? {
            Verdict::Conflict
        } else if batch.put.is_empty() {
            Verdict::Checked(newest)
        } else {
            newest = newest.max(attempted) + 1;
            apply(&mut records, batch, newest)?;
            Verdict::Committed(newest)
        };
        verdicts.push(verdict);
    }
    if newest != stored {
        meta.insert(COMMIT, newest)?;
    }
    drop((records, meta));
    if newest == stored {
        transaction.abort()?;
        return Ok(Written { verdicts, newest, outcome: Ok(()) });
    }
    let outcome = transaction.commit();
    Ok(Written { verdicts, newest, outcome })
}

fn holds(
    records: &impl ReadableTable<&'static [u8], &'static [u8]>,
    batch: &Batch,
) -> Result<bool, redb::Error> {
    for (key, expect) in &batch.expect {
        let found = records.get(key.as_slice())?;
        let version = found.map(|bytes| layout::version_of(bytes.value())).transpose();
        let version = version.map_err(|error| redb::Error::Corrupted(error.to_string()))?;
        if !expect.holds(version) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn apply(records: &mut Table<'_, &[u8], &[u8]>, batch: &Batch, version: Version) -> Result<(), redb::Error> {
    for (key, value) in &batch.put {
        match value {
            Some(value) => records.insert(key.as_slice(), layout::pack(value, version).as_slice())?,
            None => records.remove(key.as_slice())?,
        };
    }
    Ok(())
}

fn reply(answer: oneshot::Sender<Result<Version, StoreError>>, outcome: Result<Version, StoreError>) {
    // Nobody waiting any more is not an error: clients leave at any moment.
    answer.send(outcome).ok();
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the writer has stopped".into())
}
