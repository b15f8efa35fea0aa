//! What the server says about itself: the log on standard error, and the metrics.

use std::io::{IsTerminal as _, stderr};

use anyhow::{Context as _, Result, anyhow};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// How the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For people.
    #[default]
    Text,
}

/// The log's level when nothing else is said.
pub const FILTER_DEFAULT: &str = "info";

/// Upper ends of the buckets of latencies, in seconds.
const LATENCY_SECONDS: [f64; 16] = [
    0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0,
];

/// Checks a filter such as `info,claviger_core=debug`.
pub fn parse_filter(filter: &str) -> Result<EnvFilter> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|error| anyhow!("`{filter}` is not a filter of the log: {error}"))
}

/// Starts the log; the first call counts.
pub fn start_log(format: LogFormat, filter: &str) -> Result<()> {
    let filter = parse_filter(filter)?;
    // A line that cannot be written is lost in silence: saying so would go to the same place, and fail with a panic.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).log_internal_errors(false);
    // Somebody else's subscriber, such as a test's, is as good.
    let _ = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.with_target(false).with_ansi(stderr().is_terminal()).try_init(),
    };
    Ok(())
}

/// Installs the recorder of metrics; once per process, and before anything makes a handle.
pub fn start_metrics() -> Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &LATENCY_SECONDS)
        .context("the buckets of the latencies are not accepted")?
        .install_recorder()
        .context("the metrics cannot be started")?;
    describe();
    Ok(handle)
}

fn describe() {
    use metrics::{describe_counter as counter, describe_gauge as gauge, describe_histogram as histogram};
    counter!("claviger_requests_total", "Requests by dialect, action and outcome.");
    histogram!("claviger_request_seconds", "From a whole request to its answer, by dialect and action.");
    counter!("claviger_shed_total", "Requests refused unseen because of overload or size.");
    counter!("claviger_store_commits_total", "Batches committed to the store.");
    counter!("claviger_store_flushes_total", "Durable writes; commits per flush is how many shared one.");
    gauge!(
        "claviger_store_batches_per_flush",
        "Batches that shared a durable write, on average since the start."
    );
    counter!("claviger_store_conflicts_total", "Batches refused because a record had changed.");
    counter!("claviger_store_unknown_total", "Batches whose outcome stayed unknown.");
    counter!("claviger_store_reopens_total", "Times the store was opened anew after a failure.");
    gauge!(
        "claviger_store_fresh",
        "1 while this node is sure to be up to date; at 0 it refuses all requests."
    );
    gauge!("claviger_store_live_nodes", "Nodes that serve this store, this one included.");
    counter!("claviger_cache_hits_total", "Look-ups answered from memory, by cache.");
    counter!("claviger_cache_misses_total", "Look-ups that went to the store, by cache.");
    gauge!("claviger_keys", "Keys that count against quotas, by region.");
    gauge!("claviger_connections_open", "Open connections.");
    gauge!("claviger_requests_in_flight", "Requests being served.");
    gauge!("claviger_audit_unwritten_bytes", "Bytes of audit lines that wait to be written.");
}
