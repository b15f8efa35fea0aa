//! Speaking to etcd's members: one channel each, one of them in use, the next one when it fails.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use claviger_store::StoreError;
use tokio::time::{Instant, sleep, timeout};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::dial::channel;
use crate::error::{OpenError, is_final, is_unsent, login_expired, unavailable};
use crate::options::{Login, Options};
use crate::proto::etcdserverpb::auth_client::AuthClient;
use crate::proto::etcdserverpb::kv_client::KvClient;
use crate::proto::etcdserverpb::lease_client::LeaseClient;
use crate::proto::etcdserverpb::maintenance_client::MaintenanceClient;
use crate::proto::etcdserverpb::watch_client::WatchClient;
use crate::proto::etcdserverpb::{
    AuthenticateRequest, RangeRequest, RangeResponse, ResponseHeader, TxnRequest, TxnResponse,
};
use crate::world::World;

/// The most bytes of one answer: a chunk of the largest records, with room to spare.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// All members of one etcd cluster.
pub(crate) struct Client {
    members: Vec<Member>,
    current: AtomicUsize,
    login: Option<Login>,
    token: RwLock<Option<MetadataValue<Ascii>>>,
    /// How long etcd may take in all.
    deadline: Duration,
    /// How long one member may take before the next is asked, for what can be asked twice.
    attempt: Duration,
    /// The cluster that the members belong to; 0 before it is known.
    cluster: RwLock<u64>,
}

struct Member {
    url: String,
    channel: Channel,
}

/// How a transaction that writes has failed.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Nothing was applied.
    Refused(StoreError),
    /// It may have been applied.
    Unknown(Status),
}

impl Client {
    /// Knows the members; connects when first used. Must be made on the runtime that shall run the connections.
    pub(crate) fn new(options: &Options, world: &World) -> Result<Self, OpenError> {
        let member = |url: &String| -> Result<Member, OpenError> {
            Ok(Member { url: url.clone(), channel: channel(url, options, world)? })
        };
        let members: Vec<Member> = options.endpoints.iter().map(member).collect::<Result<_, _>>()?;
        if members.is_empty() {
            return Err(OpenError::Options("at least one etcd endpoint is needed".into()));
        }
        Ok(Self {
            attempt: (options.deadline / 4).max(Duration::from_millis(500)),
            members,
            current: AtomicUsize::new(0),
            login: options.login.clone(),
            token: RwLock::new(None),
            deadline: options.deadline,
            cluster: RwLock::new(0),
        })
    }

    pub(crate) fn members(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn url(&self, member: usize) -> &str {
        self.members.get(member).map_or("", |member| &member.url)
    }

    /// The member in use.
    pub(crate) fn current(&self) -> usize {
        self.current.load(Ordering::Relaxed) % self.members.len()
    }

    /// Uses the next member, unless somebody has moved on from `failed` already.
    pub(crate) fn move_on(&self, failed: usize) {
        let next = (failed + 1) % self.members.len();
        let _ = self.current.compare_exchange(failed, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Fixes the cluster that all answers must come from.
    pub(crate) fn pin(&self, cluster: u64) {
        *self.cluster.write().unwrap_or_else(PoisonError::into_inner) = cluster;
    }

    /// The revision of an answer, which must come from the cluster that this client began with.
    pub(crate) fn revision(&self, header: Option<&ResponseHeader>) -> Result<u64, Status> {
        let header = header.ok_or_else(|| Status::internal("an answer without a header"))?;
        let pinned = *self.cluster.read().unwrap_or_else(PoisonError::into_inner);
        if pinned != 0 && header.cluster_id != pinned {
            return Err(Status::failed_precondition(format!(
                "another etcd cluster answers ({:016x} instead of {pinned:016x}): its endpoints were mixed up, or it was \
                 restored from a backup; restart the node with the right endpoints",
                header.cluster_id
            )));
        }
        Ok(header.revision.unsigned_abs())
    }

    /// One range, linearizable, asked of one member after the other until the deadline.
    pub(crate) async fn range(&self, range: RangeRequest) -> Result<RangeResponse, StoreError> {
        self.retried(self.deadline, |member| {
            let range = range.clone();
            async move {
                let request = self.request(range);
                Ok(self.kv(member).range(request).await?.into_inner())
            }
        })
        .await
    }

    /// A transaction that only reads, or that may be done again, asked of one member after the other for at most `limit`.
    pub(crate) async fn read(&self, txn: TxnRequest, limit: Duration) -> Result<TxnResponse, StoreError> {
        self.retried(limit, |member| {
            let txn = txn.clone();
            async move {
                let request = self.request(txn);
                Ok(self.kv(member).txn(request).await?.into_inner())
            }
        })
        .await
    }

    /// A transaction that writes: sent at most once, and given up after as long as one member may take.
    pub(crate) async fn write(&self, txn: TxnRequest) -> Result<TxnResponse, Failed> {
        let mut left = 2 * self.members.len();
        loop {
            let member = self.current();
            let request = self.request(txn.clone());
            let sent = timeout(self.attempt, async { self.kv(member).txn(request).await }).await;
            let status = match sent {
                Ok(Ok(answer)) => return Ok(answer.into_inner()),
                Ok(Err(status)) => status,
                Err(_) => Status::deadline_exceeded("etcd did not answer in time"),
            };
            self.move_on_after(member, &status);
            left -= 1;
            let again = left > 0;
            if again && login_expired(&status) {
                self.log_in(member).await.map_err(Failed::Refused)?;
            } else if !(again && is_unsent(&status)) {
                let refused = is_unsent(&status) || is_final(&status);
                return Err(if refused {
                    Failed::Refused(unavailable(&status))
                } else {
                    Failed::Unknown(status)
                });
            }
        }
    }

    /// Repeats what does no harm when done twice, until it succeeds, cannot succeed, or `limit` is over.
    pub(crate) async fn retried<'c, T, F>(
        &'c self,
        limit: Duration,
        call: impl Fn(usize) -> F + Send,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Status>> + Send + 'c,
    {
        let ends = Instant::now() + limit;
        loop {
            let member = self.current();
            let left = ends.saturating_duration_since(Instant::now());
            let status = match timeout(left.min(self.attempt), call(member)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(status)) => status,
                Err(_) => Status::deadline_exceeded("etcd did not answer in time"),
            };
            self.move_on_after(member, &status);
            if login_expired(&status) {
                self.log_in(member).await?;
            } else if is_final(&status) {
                return Err(unavailable(&status));
            }
            if Instant::now() + PAUSE >= ends {
                return Err(unavailable(&status));
            }
            sleep(PAUSE).await;
        }
    }

    /// Another member may do better, where it is the member that has failed.
    fn move_on_after(&self, member: usize, status: &Status) {
        if !is_final(status) && !login_expired(status) {
            self.move_on(member);
        }
    }

    /// Fetches a token for the calls to come.
    pub(crate) async fn log_in(&self, member: usize) -> Result<(), StoreError> {
        let Some(Login { user, password }) = self.login.clone() else {
            return Err(StoreError::Unavailable(
                "etcd asks for a user and a password; set [store] user and password_file".into(),
            ));
        };
        let mut client = AuthClient::new(self.channel(member));
        let request = Request::new(AuthenticateRequest { name: user.clone(), password });
        let answer = timeout(self.attempt, client.authenticate(request)).await;
        let status = match answer {
            Ok(Ok(answer)) => {
                let token = MetadataValue::try_from(answer.into_inner().token.as_str());
                let token = token.map_err(|_| StoreError::Unavailable("etcd gave an odd token".into()))?;
                *self.token.write().unwrap_or_else(PoisonError::into_inner) = Some(token);
                return Ok(());
            }
            Ok(Err(status)) => status,
            Err(_) => Status::deadline_exceeded("etcd did not answer in time"),
        };
        if status.code() == Code::InvalidArgument {
            let why = format!("etcd refuses user {user}: {}", status.message());
            return Err(StoreError::Unavailable(why));
        }
        Err(unavailable(&status))
    }

    /// Whether calls carry a user's token.
    pub(crate) const fn has_login(&self) -> bool {
        self.login.is_some()
    }

    /// A request with what every call carries: who we are, and that a member without a leader shall refuse.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("hasleader", MetadataValue::from_static("true"));
        if let Some(token) = self.token.read().unwrap_or_else(PoisonError::into_inner).clone() {
            request.metadata_mut().insert("token", token);
        }
        request
    }

    pub(crate) fn kv(&self, member: usize) -> KvClient<Channel> {
        KvClient::new(self.channel(member)).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn watch(&self, member: usize) -> WatchClient<Channel> {
        WatchClient::new(self.channel(member)).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn lease(&self, member: usize) -> LeaseClient<Channel> {
        LeaseClient::new(self.channel(member))
    }

    pub(crate) fn maintenance(&self, member: usize) -> MaintenanceClient<Channel> {
        MaintenanceClient::new(self.channel(member))
    }

    fn channel(&self, member: usize) -> Channel {
        let member = self.members.get(member % self.members.len());
        member.map(|member| member.channel.clone()).expect("a remainder of the length is an index")
    }
}
