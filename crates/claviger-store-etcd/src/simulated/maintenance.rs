//! What a member says about itself.

use std::time::Duration;

use tonic::{Request, Response, Status};

use super::Member;
use super::cluster::{Reach, Standing, State};
use crate::proto::etcdserverpb::alarm_request::AlarmAction;
use crate::proto::etcdserverpb::maintenance_server::Maintenance;
use crate::proto::etcdserverpb::{
    AlarmMember, AlarmRequest, AlarmResponse, AlarmType, StatusRequest, StatusResponse,
};

#[tonic::async_trait]
impl Maintenance for Member {
    async fn alarm(&self, request: Request<AlarmRequest>) -> Result<Response<AlarmResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let member = self.clone();
        let effect = move |state: &mut State, _: Duration| {
            let alarm = AlarmMember { member_id: member.number, alarm: AlarmType::Nospace.into() };
            let before = state.no_space;
            let told = match (request.action(), request.alarm()) {
                (AlarmAction::Activate, AlarmType::Nospace) => {
                    state.no_space = true;
                    true
                }
                (AlarmAction::Deactivate, AlarmType::Nospace) => {
                    state.no_space = false;
                    before
                }
                (AlarmAction::Get, AlarmType::Nospace | AlarmType::None) => before,
                (_, AlarmType::Corrupt | AlarmType::None) => false,
            };
            let alarms = if told { vec![alarm] } else { Vec::new() };
            Ok(AlarmResponse { header: Some(member.header(state, state.store.revision())), alarms })
        };
        self.answer(&metadata, "Maintenance/Alarm", Reach::Cluster, effect).await
    }

    async fn status(&self, request: Request<StatusRequest>) -> Result<Response<StatusResponse>, Status> {
        let member = self.clone();
        let effect = move |state: &mut State, now: Duration| {
            let revision = member.newest(state, now);
            let knows = match state.cluster.standing(member.number, now) {
                Standing::CutOff(cut_off) => now < cut_off.since + super::ELECTION,
                Standing::Electing { .. } | Standing::Serving => true,
            };
            let index = revision.unsigned_abs() + 10;
            let mut errors = Vec::new();
            if !knows {
                errors.push("etcdserver: no leader".to_owned());
            }
            if state.no_space {
                errors.push(format!("memberID:{} alarm:NOSPACE ", member.number));
            }
            Ok(StatusResponse {
                header: Some(member.header(state, revision)),
                version: state.version.clone(),
                db_size: state.store.bytes(),
                leader: if knows { state.cluster.leader().unwrap_or_default() } else { 0 },
                raft_index: index,
                raft_term: state.cluster.term(),
                raft_applied_index: index,
                errors,
                db_size_in_use: state.store.bytes(),
            })
        };
        self.answer_anyone(request.metadata(), "Maintenance/Status", Reach::Alone, effect).await
    }
}
