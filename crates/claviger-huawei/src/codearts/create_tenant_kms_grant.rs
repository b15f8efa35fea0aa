//! `POST …/kms-grant`: lets `CodeArts` Repo use the tenant's keys.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, HexId, Permission};
use serde::Serialize;

use crate::codearts::write;
use crate::codearts::{SERVICE, tenant};

pub(super) const ACTION: Action = write(
    "CreateTenantKMSGrant",
    Permission::DelegationCreate,
    "https://support.huaweicloud.com/intl/en-us/api-codeartsrepo/CreateTenantKMSGrant.html",
);

/// Whether the tenant lets the service use its keys.
#[derive(Debug, Serialize)]
pub(super) struct Grant {
    /// The tenant.
    pub(super) tenant_id: HexId,
    /// Whether it does.
    pub(super) assumed: bool,
}

/// 200, the first time and every time after. There is no body to read; what a client sends as one is ignored.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let tenant_id = tenant::own(cx, request)?;
    let account = cx.account().await?;
    cx.delegate(&account, SERVICE).await?;
    Ok(Reply::json(&Grant { tenant_id, assumed: true }))
}

#[cfg(test)]
mod tests {
    use crate::codearts::tenant::path;
    use crate::testing::{Ask, World, check};

    #[test]
    fn golden() {
        let grant = || Ask::post(path("kms-grant"), "");
        check(
            "codearts.CreateTenantKMSGrant",
            &[grant(), grant(), grant().anonymous(), grant().signed_by("stranger")],
        );
    }

    #[test]
    fn a_body_is_ignored() {
        let mut world = World::new();
        world.outcomes([
            (Ask::post(path("kms-grant"), "{}"), "200"),
            (Ask::post(path("kms-grant"), "nonsense").signed_by("alice"), "200"),
        ]);
    }
}
