//! `DisableKey`: a key may not be used for a while.

use claviger_api::{Action, Reply, Request};
use claviger_core::fault::KeyFault;
use claviger_core::key::KeyState;
use claviger_core::{Cx, Fault, Permission};

use crate::kms::key_info::{StateOf, Wrapped};
use crate::kms::parameter::{OneKey, body};
use crate::kms::write;

pub(super) const ACTION: Action = write(
    "DisableKey",
    Permission::KeyDisable,
    "https://support.huaweicloud.com/intl/en-us/api-dew/DisableKey.html",
);

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let ask: OneKey = body(request)?;
    let mut edit = cx.edit(ask.key_id.0).await?;
    // Disabling what is disabled is an error here.
    if edit.key.state != KeyState::Enabled {
        return Err(KeyFault::NotEnabled.into());
    }
    edit.key.disable()?;
    let key = edit.commit().await?;
    Ok(Reply::json(&Wrapped { key_info: StateOf::new(&key) }))
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
            "kms.DisableKey",
            &[
                Ask::kms("disable-key", &key),
                Ask::kms("disable-key", &key),
                Ask::kms("encrypt-data", json!({"key_id": "{key}", "plain_text": "x"})),
            ],
        );
    }

    #[test]
    fn every_state() {
        states::check("disable-key", &json!({}), ["200 3", "400 KMS.1301", "400 KMS.1301", "400 KMS.1301"]);
        states::check_bound("disable-key", &json!({}));
    }
}
