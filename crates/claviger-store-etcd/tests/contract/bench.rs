//! Puts a case to an etcd, line by line, and holds each answer to what is expected.

use std::time::Duration;

use claviger_store_etcd::proto::etcdserverpb::alarm_request::AlarmAction;
use claviger_store_etcd::proto::etcdserverpb::kv_client::KvClient;
use claviger_store_etcd::proto::etcdserverpb::lease_client::LeaseClient;
use claviger_store_etcd::proto::etcdserverpb::maintenance_client::MaintenanceClient;
use claviger_store_etcd::proto::etcdserverpb::response_op::Response as Answer;
use claviger_store_etcd::proto::etcdserverpb::watch_client::WatchClient;
use claviger_store_etcd::proto::etcdserverpb::watch_request::RequestUnion;
use claviger_store_etcd::proto::etcdserverpb::{
    AlarmRequest, AlarmType, CompactionRequest, LeaseGrantRequest, LeaseRevokeRequest,
    LeaseTimeToLiveRequest, RangeRequest, RangeResponse, ResponseHeader, StatusRequest, TxnResponse,
    WatchCancelRequest, WatchRequest, WatchResponse,
};
use claviger_store_etcd::proto::mvccpb::{Event, KeyValue};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};

use crate::script::{Place, Words};
use crate::table::Case;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing is told before we believe that nothing will be.
const QUIET: Duration = Duration::from_millis(300);

/// Clients of one etcd.
pub struct Bench {
    kv: KvClient<Channel>,
    lease: LeaseClient<Channel>,
    maintenance: MaintenanceClient<Channel>,
    watch: WatchClient<Channel>,
    watching: Option<(mpsc::Sender<WatchRequest>, Streaming<WatchResponse>)>,
}

impl Bench {
    pub fn new(channel: Channel) -> Self {
        Self {
            kv: KvClient::new(channel.clone()).max_decoding_message_size(usize::MAX),
            lease: LeaseClient::new(channel.clone()),
            maintenance: MaintenanceClient::new(channel.clone()),
            watch: WatchClient::new(channel),
            watching: None,
        }
    }

    /// Runs all lines of a case under a prefix and answers where it was told something else.
    pub async fn run(&mut self, case: &Case, prefix: &str) -> Vec<String> {
        let start = RangeRequest { key: b"start".to_vec(), ..RangeRequest::default() };
        let base = revision(self.kv.range(start).await.expect("etcd answers").into_inner().header);
        let place = Place { prefix, base };
        let mut wrong = Vec::new();
        for (line, expected) in case.lines {
            let mut words = Words::new(line, place);
            let got = match tokio::time::timeout(PATIENCE, self.ask(&mut words, place)).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(status)) => format!("{:?} {}", status.code(), status.message()),
                Err(_) => "no answer".to_owned(),
            };
            if got != *expected {
                wrong.push(format!("{}: {line}\n expected {expected}\n      got {got}", case.name));
            }
            assert!(words.is_over(), "{}: {line}", case.name);
        }
        self.watching = None;
        wrong
    }

    async fn ask(&mut self, words: &mut Words<'_>, place: Place<'_>) -> Result<String, Status> {
        let shown = Shown { place };
        Ok(match words.word() {
            "alarm" => self.alarm(words.word()).await?,
            "compact" => {
                let revision = words.revision();
                self.kv.compact(CompactionRequest { revision, physical: true }).await?;
                "compacted".to_owned()
            }
            "del" => {
                let response = self.kv.delete_range(words.delete()).await?.into_inner();
                format!("{} deleted {}", shown.header(response.header), response.deleted)
            }
            "get" => shown.range(&self.kv.range(words.get()).await?.into_inner()),
            "grant" => {
                let (id, ttl) = (words.number(), words.number());
                let response = self.lease.lease_grant(LeaseGrantRequest { ttl, id }).await?.into_inner();
                format!("lease {} for {}", response.id, response.ttl)
            }
            "put" => shown.header(self.kv.put(words.put()).await?.into_inner().header),
            "range" => shown.range(&self.kv.range(words.range()).await?.into_inner()),
            "revoke" => {
                let request = LeaseRevokeRequest { id: words.number() };
                shown.header(self.lease.lease_revoke(request).await?.into_inner().header)
            }
            "told" => shown.watch(&self.told().await?.expect("the stream goes on")),
            "ttl" => {
                let request = LeaseTimeToLiveRequest { id: words.number() };
                let response = self.lease.lease_time_to_live(request).await?.into_inner();
                let gone = if response.ttl < 0 { "gone" } else { "alive" };
                format!("{gone} of {}", response.granted_ttl)
            }
            "txn" => {
                let response = self.kv.txn(words.txn()).await?.into_inner();
                format!("{} {}", shown.header(response.header), shown.txn(&response))
            }
            "unwatch" => {
                let cancel = WatchCancelRequest { watch_id: 0 };
                self.send(RequestUnion::CancelRequest(cancel)).await;
                shown.watch(&self.told().await?.expect("the stream goes on"))
            }
            "watch" => {
                let (requests, stream) = mpsc::channel(4);
                let request =
                    WatchRequest { request_union: Some(RequestUnion::CreateRequest(words.watch())) };
                requests.send(request).await.expect("the stream is new");
                let stream = self.watch.watch(ReceiverStream::new(stream)).await.map(Response::into_inner)?;
                self.watching = Some((requests, stream));
                shown.watch(&self.told().await?.expect("the stream goes on"))
            }
            "quiet" => match tokio::time::timeout(QUIET, self.told()).await {
                Err(_) => "quiet".to_owned(),
                Ok(told) => format!("{told:?}"),
            },
            other => panic!("what is {other}?"),
        })
    }

    async fn told(&mut self) -> Result<Option<WatchResponse>, Status> {
        let (_, stream) = self.watching.as_mut().expect("a watch was begun");
        stream.message().await
    }

    async fn send(&mut self, request: RequestUnion) {
        let (requests, _) = self.watching.as_ref().expect("a watch was begun");
        let request = WatchRequest { request_union: Some(request) };
        requests.send(request).await.expect("the stream goes on");
    }

    async fn alarm(&mut self, word: &str) -> Result<String, Status> {
        let action = match word {
            "?" => AlarmAction::Get,
            "on" => AlarmAction::Activate,
            "off" => AlarmAction::Deactivate,
            other => panic!("what is {other}?"),
        };
        let alarm = if action == AlarmAction::Get { AlarmType::None } else { AlarmType::Nospace };
        let status = self.maintenance.status(StatusRequest {}).await?.into_inner();
        let member_id = status.header.unwrap_or_default().member_id;
        let request = AlarmRequest { action: action.into(), member_id, alarm: alarm.into() };
        let alarms = self.maintenance.alarm(request).await?.into_inner().alarms;
        Ok(alarms.iter().map(|alarm| format!("{:?}", alarm.alarm())).collect::<Vec<_>>().join(" "))
    }

    /// Takes away what cases have left under a prefix.
    #[cfg(feature = "real-etcd")]
    pub async fn clear(&mut self, prefix: &str) {
        let range_end = [prefix.trim_end_matches('/').as_bytes(), b"0"].concat();
        let request = claviger_store_etcd::proto::etcdserverpb::DeleteRangeRequest {
            key: prefix.as_bytes().to_vec(),
            range_end,
        };
        self.kv.delete_range(request).await.expect("etcd answers");
    }

    #[cfg(feature = "real-etcd")]
    pub async fn version(&mut self) -> String {
        self.maintenance.status(StatusRequest {}).await.expect("etcd answers").into_inner().version
    }
}

/// Answers as the table writes them.
struct Shown<'c> {
    place: Place<'c>,
}

impl Shown<'_> {
    fn header(&self, header: Option<ResponseHeader>) -> String {
        self.revision(revision(header))
    }

    fn revision(&self, revision: i64) -> String {
        match revision {
            0 => "-".to_owned(),
            revision => format!("{:+}", revision - self.place.base),
        }
    }

    fn kv(&self, kv: &KeyValue) -> String {
        let key = String::from_utf8_lossy(&kv.key);
        let key = key.strip_prefix(self.place.prefix).unwrap_or(&key);
        let value = match kv.value.len() {
            0..=20 => String::from_utf8_lossy(&kv.value).into_owned(),
            bytes => format!("@{bytes}"),
        };
        let (created, changed) = (self.revision(kv.create_revision), self.revision(kv.mod_revision));
        let lease = if kv.lease == 0 { String::new() } else { format!(" lease {}", kv.lease) };
        format!("{key}={value}({created} {changed} v{}{lease})", kv.version)
    }

    fn range(&self, response: &RangeResponse) -> String {
        format!("{} {}", self.header(response.header), self.found(response))
    }

    fn found(&self, response: &RangeResponse) -> String {
        let kvs: Vec<String> = response.kvs.iter().map(|kv| self.kv(kv)).collect();
        let more = if response.more { ", more" } else { "" };
        format!("[{}{more}] of {}", kvs.join(", "), response.count)
    }

    fn txn(&self, response: &TxnResponse) -> String {
        let answers = response.responses.iter().filter_map(|op| op.response.as_ref());
        let answers: Vec<String> = answers
            .map(|answer| match answer {
                Answer::ResponseDeleteRange(response) => {
                    format!("{} deleted {}", self.header(response.header), response.deleted)
                }
                Answer::ResponsePut(response) => self.header(response.header),
                Answer::ResponseRange(response) => self.range(response),
                Answer::ResponseTxn(response) => {
                    format!("{} {}", self.header(response.header), self.txn(response))
                }
            })
            .collect();
        let branch = if response.succeeded { "yes" } else { "no" };
        format!("{branch} {{{}}}", answers.join("; "))
    }

    fn watch(&self, response: &WatchResponse) -> String {
        let mut shown = vec![self.header(response.header)];
        if response.created {
            shown.push("created".to_owned());
        }
        if response.canceled {
            shown.push("canceled".to_owned());
        }
        if response.compact_revision != 0 {
            shown.push(format!("compacted {}", self.revision(response.compact_revision)));
        }
        shown.extend(response.events.iter().map(|event| self.event(event)));
        shown.join(" ")
    }

    fn event(&self, event: &Event) -> String {
        let kv = event.kv.clone().unwrap_or_default();
        format!("{}:{}", event.r#type().as_str_name(), self.kv(&kv))
    }
}

fn revision(header: Option<ResponseHeader>) -> i64 {
    header.unwrap_or_default().revision
}
