//! `GET /v3/auth/catalog`: the services that the caller's credentials reach.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission, Scope};
use serde::Serialize;

use crate::iam::catalog::{self, Service};
use crate::iam::origin::address;
use crate::iam::project::{Link, Project};
use crate::iam::read;

pub(super) const ACTION: Action = read(
    "KeystoneShowCatalog",
    Permission::TokenRead,
    "https://support.huaweicloud.com/intl/en-us/api-iam/iam_02_0004.html",
);

#[derive(Serialize)]
struct Body {
    catalog: Vec<Service>,
    links: Link,
}

/// 200. Credentials that are good for everything reach the project of the region that was asked.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let account = cx.account().await?;
    let region = match &cx.caller()?.scope {
        Scope::Account => None,
        Scope::Everything => Some(&cx.region),
        Scope::Project(region) => Some(region),
    };
    let project = region.and_then(|region| Project::of(cx.authority, &account, region));
    let links = Link { here: address(request, "/v3/auth/catalog") };
    Ok(Reply::json(&Body { catalog: catalog::services(request, project.as_ref()), links }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::iam::logins::{by_access_key, kept, scoped};
    use crate::testing::{Ask, World, check};

    #[test]
    fn golden() {
        check("iam.KeystoneShowCatalog", &[Ask::get("/v3/auth/catalog")]);
    }

    #[test]
    fn kms_needs_a_project() {
        let mut world = World::new();
        world.send(&kept("for_account", &by_access_key("alice")));
        world.send(&kept("for_project", &scoped(by_access_key("alice"), json!({"project": {"name": "x"}}))));
        let ask = || Ask::get("/v3/auth/catalog");
        for (ask, services) in [
            (ask().with_token("{for_account}"), json!(["iam", "identity"])),
            (ask().with_token("{for_project}"), json!(["iam", "identity", "kms"])),
            (ask(), json!(["iam", "identity", "kms"])),
        ] {
            let body = world.send(&ask).json();
            let list = body["catalog"].as_array().expect("a list");
            let types: Vec<_> = list.iter().map(|service| &service["type"]).collect();
            assert_eq!(json!(types), services, "{ask:?}");
        }
    }
}
