//! `GET …/kms-grant`: whether `CodeArts` Repo may use the tenant's keys.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use hyper::StatusCode;

use crate::codearts::create_tenant_kms_grant::Grant;
use crate::codearts::read;
use crate::codearts::{SERVICE, tenant};

pub(super) const ACTION: Action = read(
    "ShowTenantKMSGrant",
    Permission::DelegationRead,
    "https://support.huaweicloud.com/intl/en-us/api-codeartsrepo/ShowTenantKMSGrant.html",
);

/// 202, as the vendor's page has it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let tenant_id = tenant::own(cx, request)?;
    let account = cx.account().await?;
    let assumed = cx.is_delegated(&account, SERVICE).await?;
    Ok(Reply::json_as(StatusCode::ACCEPTED, &Grant { tenant_id, assumed }))
}

#[cfg(test)]
mod tests {
    use crate::codearts::tenant::path;
    use crate::testing::{Ask, check};

    #[test]
    fn golden() {
        let show = || Ask::get(path("kms-grant"));
        check(
            "codearts.ShowTenantKMSGrant",
            &[show(), Ask::post(path("kms-grant"), ""), show(), show().signed_by("alice")],
        );
    }
}
