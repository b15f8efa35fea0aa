//! `DELETE /v3/auth/tokens`: makes a token worthless.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use hyper::StatusCode;

use crate::iam::subject;
use crate::iam::write;

pub(super) const ACTION: Action = write(
    "KeystoneRevokeToken",
    Permission::TokenRevoke,
    "https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0004.html",
);

/// 204. From now on the token is not found.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let subject = subject::load(cx, request).await?;
    cx.authority.revoke_token(&subject.claims).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

#[cfg(test)]
mod tests {
    use crate::iam::logins::{by_access_key, kept};
    use crate::testing::{Ask, World, check};

    fn revoke(token: &str) -> Ask {
        Ask::delete("/v3/auth/tokens").header("X-Subject-Token", token)
    }

    #[test]
    fn golden() {
        check(
            "iam.KeystoneRevokeToken",
            &[
                kept("token", &by_access_key("alice")),
                revoke("{token}"),
                revoke("{token}"),
                Ask::get("/v3/auth/domains").with_token("{token}"),
            ],
        );
    }

    #[test]
    fn only_this_one_is_revoked() {
        let mut world = World::new();
        world.send(&kept("token", &by_access_key("root")));
        world.send(&kept("other", &by_access_key("root")));
        world.outcomes([
            (revoke("{token}").with_token("{token}"), "204"),
            (Ask::get("/v3/auth/domains").with_token("{token}"), "401"),
            (Ask::get("/v3/auth/domains").with_token("{other}"), "200"),
        ]);
    }
}
