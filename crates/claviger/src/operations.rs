//! Health and metrics, beside the dialects: `/healthz`, `/readyz` and `/metrics`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use claviger_api::{Answer, App, Operations, Phase};
use claviger_core::Authority;
use claviger_core::audit::Audit;
use claviger_core::records::{self, Counts, at};
use claviger_store::Scan;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use metrics::{counter, gauge};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;

/// Records of counts read at a time.
const COUNTED_AT_ONCE: usize = 1000;

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
        let regions = self.authority.regions();
        let mut keys: BTreeMap<String, u64> =
            regions.iter().map(|region| (region.id.to_string(), 0)).collect();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let mut scan = Scan::forward(at::COUNTS, COUNTED_AT_ONCE);
            scan.after = after.as_deref();
            let Ok(page) = self.authority.engine().scan(scan).await else { return };
            for entry in &page.entries {
                let region = at::region_counted(&entry.key);
                let counted = region.and_then(|region| keys.get_mut(region));
                let counts = records::decode::<Counts>(&entry.value);
                if let (Some(counted), Ok(counts)) = (counted, counts) {
                    *counted += counts.keys;
                }
            }
            after = page.entries.last().map(|entry| entry.key.clone());
            if !page.more {
                break;
            }
        }
        for (region, keys) in keys {
            gauge!("claviger_keys", "region" => region).set(float(keys));
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
