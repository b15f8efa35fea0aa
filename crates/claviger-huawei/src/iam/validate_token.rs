//! `GET /v3/auth/tokens`: what a token says.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use hyper::StatusCode;

use crate::iam::project::Project;
use crate::iam::read;
use crate::iam::{subject, token};

pub(super) const ACTION: Action = read(
    "KeystoneValidateToken",
    Permission::TokenRead,
    "https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0004.html",
);

/// 200 with the token again. One that is not good any more is not found.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let subject = subject::load(cx, request).await?;
    let region = subject.claims.project.as_ref();
    let project = region.and_then(|region| Project::of(cx.authority, &subject.account, region));
    let whose = (&*subject.account, &*subject.user);
    token::reply(request, StatusCode::OK, subject.token, &subject.claims, whose, project.as_ref())
}

#[cfg(test)]
mod tests {
    use crate::iam::logins::{by_access_key, by_password, kept, scoped};
    use crate::testing::{Ask, PASSWORD, World, check};

    #[test]
    fn golden() {
        check(
            "iam.KeystoneValidateToken",
            &[
                kept(
                    "token",
                    &scoped(by_access_key("alice"), serde_json::json!({"project": {"name": "cn-north-4"}})),
                ),
                Ask::get("/v3/auth/tokens").header("X-Subject-Token", "{token}"),
                Ask::get("/v3/auth/tokens?nocatalog=1")
                    .with_token("{token}")
                    .header("X-Subject-Token", "{token}"),
                Ask::get("/v3/auth/tokens").header("X-Subject-Token", "nonsense"),
                Ask::get("/v3/auth/tokens"),
                Ask::get("/v3/auth/tokens").with_token("nonsense").header("X-Subject-Token", "{token}"),
            ],
        );
    }

    #[test]
    fn a_token_says_what_it_said_when_it_was_issued() {
        let mut world = World::new();
        let issued = world.send(&kept("token", &by_password("root", "alice", PASSWORD)));
        let answer = world.send(&Ask::get("/v3/auth/tokens").header("X-Subject-Token", "{token}"));
        assert_eq!((answer.status.as_u16(), answer.json()), (200, issued.json()));
        assert_eq!(answer.headers["x-subject-token"], issued.headers["x-subject-token"]);
    }
}
