//! What goes on beside the requests: due deletions, durable audit, last uses, health and metrics.

use std::sync::Arc;
use std::time::Duration;

use claviger_core::Authority;
use claviger_core::audit::Audit;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::operations::Watched;

/// Between two looks at what is due.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Between two looks whether the store answers.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// Between two savings of when access keys were used, and two looks at what can be forgotten.
const SAVE_EVERY: Duration = Duration::from_mins(1);
/// Between two rounds of the metrics' own upkeep, and two counts of keys.
const METRICS_EVERY: Duration = Duration::from_secs(5);

/// Starts it on the runtime of the caller; shut the set down to stop it. Each node has a rhythm of its own: those that start
/// together do not go on doing everything at the same moments.
pub fn start(watched: &Watched) -> JoinSet<()> {
    let mut work = JoinSet::new();
    let here = watched.clone();
    work.spawn(every(PROBE_EVERY, move || {
        let here = here.clone();
        async move { here.probe().await }
    }));
    let authority = Arc::clone(&watched.authority);
    work.spawn(every(unlike_others(SWEEP_EVERY, &authority), move || {
        let authority = Arc::clone(&authority);
        async move { sweep(&authority).await }
    }));
    let authority = Arc::clone(&watched.authority);
    work.spawn(every(unlike_others(SAVE_EVERY, &authority), move || {
        let authority = Arc::clone(&authority);
        async move {
            save_last_used(&authority).await;
            forget_revocations(&authority).await;
        }
    }));
    let here = watched.clone();
    work.spawn(every(watched.audit.sync_every(), move || sync(Arc::clone(&here.audit))));
    let here = watched.clone();
    work.spawn(every(unlike_others(METRICS_EVERY, &watched.authority), move || {
        let here = here.clone();
        async move {
            here.metrics.run_upkeep();
            here.count_keys().await;
        }
    }));
    work
}

/// A period of about this length, by chance up to a quarter shorter.
fn unlike_others(period: Duration, authority: &Authority) -> Duration {
    let percent = u32::try_from(75 + authority.entropy().below(26)).unwrap_or(100);
    period * percent / 100
}

/// Saves what is only in memory, at the end.
pub async fn save(authority: &Authority, audit: &Arc<Audit>) {
    save_last_used(authority).await;
    sync(Arc::clone(audit)).await;
}

async fn every<F: Future<Output = ()>>(period: Duration, mut work: impl FnMut() -> F) {
    // An interval of no length does not exist.
    let period = period.max(Duration::from_millis(10));
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        work().await;
    }
}

async fn sweep(authority: &Authority) {
    if !authority.engine().fresh() {
        // What is due stays due: a node that knows the present settles it.
        return;
    }
    match authority.sweep().await {
        Ok(0) => {}
        Ok(keys) => tracing::info!(keys, "deletions and expiries that were due"),
        Err(fault) => tracing::warn!(?fault, "what is due could not be handled; trying again"),
    }
}

async fn save_last_used(authority: &Authority) {
    if !authority.engine().fresh() {
        return;
    }
    if let Err(fault) = authority.save_last_used().await {
        tracing::warn!(?fault, "the last uses of access keys could not be saved; trying again");
    }
}

async fn forget_revocations(authority: &Authority) {
    if !authority.engine().fresh() {
        return;
    }
    if let Err(fault) = authority.forget_revocations().await {
        tracing::warn!(?fault, "revocations of expired tokens could not be removed; trying again");
    }
}

async fn sync(audit: Arc<Audit>) {
    match spawn_blocking(move || audit.sync()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "the audit could not be made durable"),
        Err(error) => tracing::error!(%error, "the audit's sync died"),
    }
}
