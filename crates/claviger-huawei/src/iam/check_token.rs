//! `HEAD /v3/auth/tokens`: whether a token is good.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use hyper::StatusCode;

use crate::iam::read;
use crate::iam::{subject, token};

pub(super) const ACTION: Action = read(
    "KeystoneCheckToken",
    Permission::TokenRead,
    "https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0004.html",
);

/// 200 if it is; otherwise it is not found.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let subject = subject::load(cx, request).await?;
    let (name, value) = token::header(subject.token)?;
    Ok(Reply::empty(StatusCode::OK).with_header(name, value))
}

#[cfg(test)]
mod tests {
    use crate::iam::logins::{by_access_key, kept};
    use crate::testing::{Ask, check};

    fn head(token: &str) -> Ask {
        Ask::new("HEAD", "/v3/auth/tokens", "").header("X-Subject-Token", token)
    }

    #[test]
    fn golden() {
        check("iam.KeystoneCheckToken", &[kept("token", &by_access_key("alice")), head("{token}")]);
    }
}
