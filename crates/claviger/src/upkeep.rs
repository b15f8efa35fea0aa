//! What goes on beside the requests: due deletions, durable audit, last uses, health and metrics.

use std::sync::Arc;
use std::time::Duration;

use claviger_core::Authority;
use claviger_core::audit::Audit;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::operations::Watched;

/// Between two looks at what is due, and whether the store answers.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Between two savings of when access keys were used.
const SAVE_EVERY: Duration = Duration::from_mins(1);
/// Between two rounds of the metrics' own upkeep, and two counts of keys.
const METRICS_EVERY: Duration = Duration::from_secs(5);

/// Starts it on the runtime of the caller; shut the set down to stop it.
pub fn start(watched: &Watched) -> JoinSet<()> {
    let mut work = JoinSet::new();
    let here = watched.clone();
    work.spawn(every(SWEEP_EVERY, move || {
        let here = here.clone();
        async move {
            here.probe().await;
            sweep(&here.authority).await;
        }
    }));
    let here = watched.clone();
    work.spawn(every(SAVE_EVERY, move || {
        let authority = Arc::clone(&here.authority);
        async move { save_last_used(&authority).await }
    }));
    let here = watched.clone();
    work.spawn(every(watched.audit.sync_every(), move || sync(Arc::clone(&here.audit))));
    let here = watched.clone();
    work.spawn(every(METRICS_EVERY, move || {
        let here = here.clone();
        async move {
            here.metrics.run_upkeep();
            here.count_keys().await;
        }
    }));
    work
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

async fn sync(audit: Arc<Audit>) {
    match spawn_blocking(move || audit.sync()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "the audit could not be made durable"),
        Err(error) => tracing::error!(%error, "the audit's sync died"),
    }
}
