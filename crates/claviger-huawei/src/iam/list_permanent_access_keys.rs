//! `GET /v3.0/OS-CREDENTIAL/credentials`: the access keys of a user.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use serde::Serialize;

use crate::iam::credential::{self, Shown};
use crate::iam::query;
use crate::iam::read;

pub(super) const ACTION: Action = read(
    "ListPermanentAccessKeys",
    Permission::AccessKeyList,
    "https://support.huaweicloud.com/intl/en-us/api-iam/iam_03_0003.html",
);

#[derive(Serialize)]
struct Body {
    credentials: Vec<Shown>,
}

/// 200, oldest first. Without `user_id`: the caller's own.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let owner = match query::value(request, "user_id")? {
        Some(user) if !user.is_empty() => credential::owner(cx, &user).await?,
        Some(_) | None => cx.access_key_owner(None).await?,
    };
    let records = cx.list_access_keys(&owner).await?;
    let credentials = records.into_iter().map(|record| Shown::new(&owner, record)).collect();
    Ok(Reply::json(&Body { credentials }))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Ask, check};

    #[test]
    fn golden() {
        let ask = |query: &str| Ask::get(format!("/v3.0/OS-CREDENTIAL/credentials{query}"));
        check(
            "iam.ListPermanentAccessKeys",
            &[
                ask(""),
                ask("?user_id="),
                ask("?user_id={alice_user}"),
                ask("?user_id={stranger_user}"),
                ask("").signed_by("admin"),
                ask("").signed_by("alice"),
            ],
        );
    }
}
