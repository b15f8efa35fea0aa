//! `CancelKeyDeletion`: calls a deletion off.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission};

use crate::kms::key_info::StateOf;
use crate::kms::parameter::{OneKey, body};
use crate::kms::write;

pub(super) const ACTION: Action = write(
    "CancelKeyDeletion",
    Permission::KeyCancelDeletion,
    "https://support.huaweicloud.com/intl/en-us/api-dew/CancelKeyDeletion.html",
);

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let ask: OneKey = body(request)?;
    let mut edit = cx.edit(ask.key_id.0).await?;
    edit.key.cancel_deletion(cx.now)?;
    let key = edit.commit().await?;
    Ok(Reply::json(&StateOf::new(&key)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kms::states;
    use crate::testing::{Ask, check};

    #[test]
    fn golden() {
        let key = json!({"key_id": "{key}"});
        check(
            "kms.CancelKeyDeletion",
            &[
                Ask::kms("schedule-key-deletion", json!({"key_id": "{key}", "pending_days": "7"})),
                Ask::kms("cancel-key-deletion", &key),
                Ask::kms("cancel-key-deletion", &key),
                Ask::kms("describe-key", &key),
            ],
        );
    }

    #[test]
    fn every_state() {
        let expected = ["400 KMS.1501", "400 KMS.1501", "200 3", "400 KMS.1501"];
        states::check("cancel-key-deletion", &json!({}), expected);
    }
}
