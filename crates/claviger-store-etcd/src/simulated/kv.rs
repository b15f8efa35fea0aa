//! Keys and values.

use std::time::Duration;

use prost::Message;
use tonic::{Request, Response, Status};

use super::Member;
use super::cluster::{Reach, State};
use super::range::range;
use super::refusal::Refusal;
use super::span::Span;
use super::txn;
use crate::proto::etcdserverpb::kv_server::Kv;
use crate::proto::etcdserverpb::{
    CompactionRequest, CompactionResponse, DeleteRangeRequest, DeleteRangeResponse, PutRequest, PutResponse,
    RangeRequest, RangeResponse, TxnRequest, TxnResponse,
};

/// Most bytes of a request that changes something, unless etcd is told otherwise (`--max-request-bytes`).
const REQUEST_BYTES_MAX: usize = 1024 * 1024 * 3 / 2;

#[tonic::async_trait]
impl Kv for Member {
    async fn range(&self, request: Request<RangeRequest>) -> Result<Response<RangeResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        txn::not_empty(&request.key)?;
        let reach = if request.serializable { Reach::Alone } else { Reach::Cluster };
        let member = self.clone();
        let effect = move |state: &mut State, now: Duration| {
            let newest = member.newest(state, now);
            let mut response = range(&state.store, &request, newest)?;
            response.header = Some(member.header(state, newest));
            Ok(response)
        };
        self.answer(&metadata, "KV/Range", reach, effect).await
    }

    async fn put(&self, request: Request<PutRequest>) -> Result<Response<PutResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        txn::not_empty(&request.key)?;
        not_too_large(&request)?;
        let member = self.clone();
        let effect = move |state: &mut State, now: Duration| {
            space(state)?;
            state.leases.check(request.lease)?;
            let mut writing = state.store.write();
            writing.put(&request.key, &request.value, request.lease);
            let revision = writing.finish(now);
            Ok(PutResponse { header: Some(member.header(state, revision)) })
        };
        self.answer(&metadata, "KV/Put", Reach::Cluster, effect).await
    }

    async fn delete_range(
        &self,
        request: Request<DeleteRangeRequest>,
    ) -> Result<Response<DeleteRangeResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        txn::not_empty(&request.key)?;
        not_too_large(&request)?;
        let member = self.clone();
        let effect = move |state: &mut State, now: Duration| {
            let mut writing = state.store.write();
            let deleted = writing.delete(&Span::new(&request.key, &request.range_end));
            let revision = writing.finish(now);
            Ok(DeleteRangeResponse { header: Some(member.header(state, revision)), deleted })
        };
        self.answer(&metadata, "KV/DeleteRange", Reach::Cluster, effect).await
    }

    async fn txn(&self, request: Request<TxnRequest>) -> Result<Response<TxnResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        txn::check(&request)?;
        not_too_large(&request)?;
        let member = self.clone();
        let effect = move |state: &mut State, now: Duration| {
            if txn::takes_space(&request) {
                space(state)?;
            }
            let newest = state.store.revision();
            let taken = txn::take(&state.store, &request, newest);
            taken.check(&state.store, newest, &state.leases)?;
            let mut writing = state.store.write();
            let mut response = taken.apply(&mut writing)?;
            let revision = writing.finish(now);
            response.header = Some(member.header(state, revision));
            Ok(response)
        };
        self.answer(&metadata, "KV/Txn", Reach::Cluster, effect).await
    }

    async fn compact(
        &self,
        request: Request<CompactionRequest>,
    ) -> Result<Response<CompactionResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let member = self.clone();
        let effect = move |state: &mut State, _: Duration| {
            state.store.compact(request.revision, state.tombstones)?;
            Ok(CompactionResponse { header: Some(member.header(state, state.store.revision())) })
        };
        self.answer(&metadata, "KV/Compact", Reach::Cluster, effect).await
    }
}

fn not_too_large(request: &impl Message) -> Result<(), Refusal> {
    if request.encoded_len() > REQUEST_BYTES_MAX { Err(Refusal::TooLarge) } else { Ok(()) }
}

fn space(state: &State) -> Result<(), Refusal> {
    if state.no_space { Err(Refusal::NoSpace) } else { Ok(()) }
}
