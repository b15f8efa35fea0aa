//! `ListKeyDetail`: what there is to know about a key.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission};

use crate::kms::key_info::{KeyInfo, Wrapped};
use crate::kms::parameter::{OneKey, body};
use crate::kms::read;

pub(super) const ACTION: Action = read(
    "ListKeyDetail",
    Permission::KeyDescribe,
    "https://support.huaweicloud.com/intl/en-us/api-dew/ListKeyDetail.html",
);

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let ask: OneKey = body(request)?;
    let key = cx.key(ask.key_id.0).await?;
    Ok(Reply::json(&Wrapped { key_info: KeyInfo::new(cx, key.record())? }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Ask, World, check};

    #[test]
    fn golden() {
        let described = json!({"key_alias": "lent", "key_description": "für alles", "origin": "external"});
        check(
            "kms.ListKeyDetail",
            &[
                Ask::kms("describe-key", json!({"key_id": "{key}"})),
                Ask::kms("create-key", described).keep("lent", "/key_info/key_id"),
                Ask::kms("describe-key", json!({"key_id": "{lent}"})),
                Ask::kms("describe-key", json!({"key_id": "0d0466b0-e727-4d9c-b35d-f84bb474a37f"})),
            ],
        );
    }

    #[test]
    fn needs_permission_and_the_same_account() {
        let ask = |key: &str| Ask::kms("describe-key", json!({"key_id": key}));
        World::new().outcomes([
            (ask("{key}").signed_by("alice"), "403 KMS.0306"),
            (ask("{key}").signed_by("admin"), "200"),
            (ask("{other_key}"), "404 KMS.0207"),
        ]);
    }
}
