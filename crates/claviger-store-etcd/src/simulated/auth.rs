//! Access control with one user.

use tonic::{Request, Response, Status};

use super::Member;
use super::cluster::Reach;
use super::refusal::Refusal;
use crate::proto::etcdserverpb::auth_server::Auth;
use crate::proto::etcdserverpb::{AuthenticateRequest, AuthenticateResponse};

/// Who is let in.
#[derive(Debug, Default)]
pub(super) struct Access {
    user: Option<(String, String)>,
    /// Tokens from this number on are good.
    first: u64,
    given: u64,
}

impl Access {
    pub(super) fn require(&mut self, user: &str, password: &str) {
        self.user = Some((user.to_owned(), password.to_owned()));
    }

    pub(super) fn forget(&mut self) {
        self.first = self.given;
    }

    /// Whether a request with this token may be done.
    pub(super) fn admit(&self, token: Option<&str>) -> Result<(), Refusal> {
        if self.user.is_none() {
            return Ok(());
        }
        let token = token.ok_or(Refusal::UserEmpty)?;
        let number = token.strip_prefix("simulated.").and_then(|number| number.parse::<u64>().ok());
        let good = number.filter(|number| (self.first..self.given).contains(number));
        good.map(|_| ()).ok_or(Refusal::InvalidToken)
    }

    fn authenticate(&mut self, user: &str, password: &str) -> Result<String, Refusal> {
        let known = self.user.as_ref().ok_or(Refusal::AuthNotEnabled)?;
        if (known.0.as_str(), known.1.as_str()) != (user, password) {
            return Err(Refusal::AuthFailed);
        }
        self.given += 1;
        Ok(format!("simulated.{}", self.given - 1))
    }
}

#[tonic::async_trait]
impl Auth for Member {
    async fn authenticate(
        &self,
        request: Request<AuthenticateRequest>,
    ) -> Result<Response<AuthenticateResponse>, Status> {
        let member = self.clone();
        let (metadata, _, request) = request.into_parts();
        self.answer_anyone(&metadata, "Auth/Authenticate", Reach::Cluster, move |state, now| {
            let token = state.access.authenticate(&request.name, &request.password)?;
            Ok(AuthenticateResponse { header: Some(member.header(state, member.newest(state, now))), token })
        })
        .await
    }
}
