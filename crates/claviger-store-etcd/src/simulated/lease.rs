//! The leases' service.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

use super::Member;
use super::cluster::{Reach, State};
use super::refusal::Refusal;
use crate::proto::etcdserverpb::lease_server::Lease;
use crate::proto::etcdserverpb::{
    LeaseGrantRequest, LeaseGrantResponse, LeaseKeepAliveRequest, LeaseKeepAliveResponse, LeaseRevokeRequest,
    LeaseRevokeResponse, LeaseTimeToLiveRequest, LeaseTimeToLiveResponse,
};

#[tonic::async_trait]
impl Lease for Member {
    type LeaseKeepAliveStream = ReceiverStream<Result<LeaseKeepAliveResponse, Status>>;

    async fn lease_grant(
        &self,
        request: Request<LeaseGrantRequest>,
    ) -> Result<Response<LeaseGrantResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let member = self.clone();
        let effect = move |state: &mut State, now: Duration| {
            if state.no_space {
                return Err(Refusal::NoSpace);
            }
            let (id, lease) = state.leases.grant(request.id, request.ttl, now)?;
            let header = Some(member.header(state, state.store.revision()));
            Ok(LeaseGrantResponse { header, id, ttl: lease.ttl_seconds, error: String::new() })
        };
        self.answer(&metadata, "Lease/LeaseGrant", Reach::Cluster, effect).await
    }

    async fn lease_revoke(
        &self,
        request: Request<LeaseRevokeRequest>,
    ) -> Result<Response<LeaseRevokeResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let member = self.clone();
        let effect = move |state: &mut State, now: Duration| {
            state.leases.find(request.id).ok_or(Refusal::LeaseNotFound)?;
            state.end_lease(request.id, now);
            Ok(LeaseRevokeResponse { header: Some(member.header(state, state.store.revision())) })
        };
        self.answer(&metadata, "Lease/LeaseRevoke", Reach::Cluster, effect).await
    }

    async fn lease_keep_alive(
        &self,
        request: Request<Streaming<LeaseKeepAliveRequest>>,
    ) -> Result<Response<Self::LeaseKeepAliveStream>, Status> {
        let (metadata, _, mut requests) = request.into_parts();
        let (answers, stream) = mpsc::channel(1);
        let member = self.clone();
        tokio::spawn(async move {
            while let Ok(Some(request)) = requests.message().await {
                let answer = member.keep_alive(&metadata, request).await;
                let failed = answer.is_err();
                if answers.send(answer).await.is_err() || failed {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn lease_time_to_live(
        &self,
        request: Request<LeaseTimeToLiveRequest>,
    ) -> Result<Response<LeaseTimeToLiveResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let member = self.clone();
        let effect = move |state: &mut State, now: Duration| {
            let (ttl, granted_ttl) = match state.leases.find(request.id) {
                Some(lease) => (seconds(lease.ends.saturating_sub(now)), lease.ttl_seconds),
                None => (-1, 0),
            };
            let header = Some(member.header(state, state.store.revision()));
            Ok(LeaseTimeToLiveResponse { header, id: request.id, ttl, granted_ttl })
        };
        self.answer(&metadata, "Lease/LeaseTimeToLive", Reach::Cluster, effect).await
    }
}

impl Member {
    async fn keep_alive(
        &self,
        metadata: &MetadataMap,
        request: LeaseKeepAliveRequest,
    ) -> Result<LeaseKeepAliveResponse, Status> {
        let member = self.clone();
        let effect = move |state: &mut State, now: Duration| {
            let ttl = state.leases.keep_alive(request.id, now).map_or(0, |lease| lease.ttl_seconds);
            let header = Some(member.header(state, state.store.revision()));
            Ok(LeaseKeepAliveResponse { header, id: request.id, ttl })
        };
        let answer = self.answer(metadata, "Lease/LeaseKeepAlive", Reach::Cluster, effect).await;
        answer.map(Response::into_inner)
    }
}

fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}
