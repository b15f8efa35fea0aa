//! `GET /v3/auth/domains`: the accounts that the caller may enter, which is its own.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, HexId, Permission};
use serde::Serialize;

use crate::iam::origin::address;
use crate::iam::project::{Link, Links};
use crate::iam::read;

pub(super) const ACTION: Action = read(
    "KeystoneListAuthDomains",
    Permission::CallerRead,
    "https://support.huaweicloud.com/intl/en-us/api-iam/iam_07_0001.html",
);

#[derive(Serialize)]
struct Body<'a> {
    domains: [Domain<'a>; 1],
    links: Links,
}

#[derive(Serialize)]
struct Domain<'a> {
    description: &'static str,
    enabled: bool,
    id: HexId,
    links: Link,
    name: &'a str,
}

/// 200. SDKs without an account id ask this and take the first.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let account = cx.account().await?;
    let domain = Domain {
        description: "",
        enabled: true,
        id: account.hex,
        links: Link { here: address(request, &format!("/v3/domains/{}", account.hex)) },
        name: &account.name,
    };
    let links = Links::here(address(request, "/v3/auth/domains"));
    Ok(Reply::json(&Body { domains: [domain], links }))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Ask, check};

    #[test]
    fn golden() {
        let ask = || Ask::get("/v3/auth/domains");
        check(
            "iam.KeystoneListAuthDomains",
            &[ask().signed_by("alice"), ask().signed_by("stranger"), ask().anonymous()],
        );
    }
}
