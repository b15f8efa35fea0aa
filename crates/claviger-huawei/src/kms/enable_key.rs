//! `EnableKey`: a disabled key may be used again.

use claviger_api::{Action, Reply, Request};
use claviger_core::fault::KeyFault;
use claviger_core::key::KeyState;
use claviger_core::{Cx, Fault, Permission};

use crate::kms::key_info::{StateOf, Wrapped};
use crate::kms::parameter::{OneKey, body};
use crate::kms::write;

pub(super) const ACTION: Action = write(
    "EnableKey",
    Permission::KeyEnable,
    "https://support.huaweicloud.com/intl/en-us/api-dew/EnableKey.html",
);

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let ask: OneKey = body(request)?;
    let mut edit = cx.edit(ask.key_id.0).await?;
    // Enabling what is enabled is an error here.
    if edit.key.state != KeyState::Disabled {
        return Err(KeyFault::NotDisabled.into());
    }
    edit.key.enable()?;
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
            "kms.EnableKey",
            &[Ask::kms("disable-key", &key), Ask::kms("enable-key", &key), Ask::kms("enable-key", &key)],
        );
    }

    #[test]
    fn every_state() {
        states::check("enable-key", &json!({}), ["400 KMS.1201", "200 2", "400 KMS.1201", "400 KMS.1201"]);
    }
}
