//! Health and metrics, beside the dialects: `/healthz`, `/readyz` and `/metrics`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use claviger_api::{Answer, App, Operations, Phase};
use claviger_core::audit::Audit;
use claviger_core::records::{self, Counts, at};
use claviger_core::{Authority, RingId};
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use metrics::{counter, gauge};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;

/// Accounts whose keys are counted in the metrics; a series each, and no more.
const COUNTED_ACCOUNTS: usize = 1000;

/// What the operations look at.
#[derive(Clone)]
pub struct Watched {
    /// The authority.
    pub authority: Arc<Authority>,
    /// The audit.
    pub audit: Arc<Audit>,
    /// What is served.
    pub app: Arc<App>,
    /// Open connections.
    pub open: Arc<AtomicUsize>,
    /// Whether the store answered when it was last asked.
    pub ready: Arc<AtomicBool>,
    /// How far the server has come.
    pub phase: watch::Receiver<Phase>,
    /// The metrics.
    pub metrics: PrometheusHandle,
}

impl Watched {
    /// Answers the operations' paths, and no other.
    pub fn operations(self) -> Operations {
        Arc::new(move |path| match path {
            "/healthz" => Some(text(StatusCode::OK, "ok\n")),
            "/readyz" => Some(self.readiness()),
            "/metrics" => Some(self.render()),
            _ => None,
        })
    }

    /// Whether requests should be sent here.
    fn readiness(&self) -> Answer {
        let why = if *self.phase.borrow() >= Phase::Leaving {
            "this node is leaving\n"
        } else if !self.ready.load(Ordering::Relaxed) {
            "the store does not answer\n"
        } else if !self.authority.engine().fresh() {
            "this node cannot make sure that it is up to date\n"
        } else {
            return text(StatusCode::OK, "ready\n");
        };
        text(StatusCode::SERVICE_UNAVAILABLE, why)
    }

    /// Asks the store something, to know whether it answers.
    pub async fn probe(&self) {
        let answer = self.authority.engine().get(&at::meta()).await;
        let ready = answer.is_ok();
        let was = self.ready.swap(ready, Ordering::Relaxed);
        match answer {
            Err(error) if was => tracing::warn!(%error, "not ready: the store does not answer"),
            Ok(_) if !was => tracing::info!("the store answers"),
            Ok(_) | Err(_) => {}
        }
    }

    /// Counts the keys of every region for the metrics; over all accounts, since anybody on the port can read them.
    pub async fn count_keys(&self) {
        let Ok(accounts) = self.authority.accounts(COUNTED_ACCOUNTS).await else { return };
        for region in self.authority.regions().iter() {
            let mut keys = 0;
            for account in &accounts {
                let ring = RingId { account: account.id, region: region.id.clone() };
                let Ok(read) = self.authority.engine().get(&at::counts(&ring)).await else { return };
                let counts = read.stored.and_then(|stored| records::decode::<Counts>(&stored.value).ok());
                keys += counts.unwrap_or_default().keys;
            }
            gauge!("claviger_keys", "region" => region.id.to_string()).set(float(keys));
        }
    }

    fn render(&self) -> Answer {
        self.measure();
        let mut answer = text(StatusCode::OK, "");
        let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        answer.headers_mut().insert(CONTENT_TYPE, kind);
        *answer.body_mut() = Full::new(Bytes::from(self.metrics.render()));
        answer
    }

    /// Takes what others count into the metrics.
    fn measure(&self) {
        let engine = self.authority.engine();
        gauge!("claviger_store_fresh").set(f64::from(u8::from(engine.fresh())));
        gauge!("claviger_store_live_nodes").set(f64::from(engine.live_nodes()));
        let stats = engine.stats();
        counter!("claviger_store_commits_total").absolute(stats.commits);
        counter!("claviger_store_flushes_total").absolute(stats.flushes);
        counter!("claviger_store_conflicts_total").absolute(stats.conflicts);
        counter!("claviger_store_unknown_total").absolute(stats.unknown);
        counter!("claviger_store_reopens_total").absolute(stats.reopens);
        gauge!("claviger_store_batches_per_flush").set(float(stats.commits) / float(stats.flushes.max(1)));
        for (cache, (hits, misses)) in self.authority.cache_counts() {
            counter!("claviger_cache_hits_total", "cache" => cache).absolute(hits);
            counter!("claviger_cache_misses_total", "cache" => cache).absolute(misses);
        }
        gauge!("claviger_connections_open").set(float(self.open.load(Ordering::Relaxed) as u64));
        gauge!("claviger_requests_in_flight").set(float(self.app.in_flight() as u64));
        if let Ok(bytes) = self.audit.unwritten_bytes() {
            gauge!("claviger_audit_unwritten_bytes").set(float(bytes));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts this large are not read to the last digit")]
const fn float(count: u64) -> f64 {
    count as f64
}

fn text(status: StatusCode, body: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}
