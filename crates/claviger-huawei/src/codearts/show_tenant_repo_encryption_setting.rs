//! `GET …/setting`: how the tenant's repositories are encrypted.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use hyper::StatusCode;

use crate::codearts::read;
use crate::codearts::setting::Shown;
use crate::codearts::{SERVICE, tenant};

pub(super) const ACTION: Action = read(
    "ShowTenantRepoEncryptionSetting",
    Permission::SettingRead,
    "https://support.huaweicloud.com/intl/en-us/api-codeartsrepo/ShowTenantRepoEncryptionSetting.html",
);

/// 202, as the vendor's page has it. Before anything is set the type is null.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let tenant_id = tenant::own(cx, request)?;
    let ring = cx.ring().await?;
    let setting = cx.setting(&ring, SERVICE).await?;
    Ok(Reply::json_as(StatusCode::ACCEPTED, &Shown::new(cx, tenant_id, setting)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::codearts::tenant::path;
    use crate::testing::{Ask, check};

    #[test]
    fn golden() {
        let (show, set) = (|| Ask::get(path("setting")), |body| Ask::new("PUT", path("setting"), body));
        check(
            "codearts.ShowTenantRepoEncryptionSetting",
            &[
                show(),
                Ask::post(path("kms-grant"), ""),
                set(
                    json!({"encryption_type": "KMS", "cmk_key_id": "{key}", "default_encryption_enabled": true}),
                ),
                show().signed_by("alice"),
                set(json!({"encryption_type": "normal"})),
                show(),
            ],
        );
    }
}
