//! `DeleteKey`: schedules a key's deletion.

use claviger_api::{Action, Reply, Request};
use claviger_core::fault::KeyFault;
use claviger_core::{Cx, Fault, Permission};
use serde::Deserialize;

use crate::kms::key_info::StateOf;
use crate::kms::parameter::{GivenKey, Sequence, body};
use crate::kms::write;

pub(super) const ACTION: Action = write(
    "DeleteKey",
    Permission::KeyScheduleDeletion,
    "https://support.huaweicloud.com/intl/en-us/api-dew/DeleteKey.html",
);

#[derive(Debug, Deserialize)]
struct Ask {
    key_id: GivenKey,
    pending_days: String,
    #[serde(rename = "sequence")]
    _sequence: Option<Sequence>,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let ask: Ask = body(request)?;
    let days = ask.pending_days.parse().map_err(|_| Fault::Key(KeyFault::DeletionWindowInvalid))?;
    let mut edit = cx.edit(ask.key_id.0).await?;
    edit.key.schedule_deletion(cx.now, days)?;
    let key = edit.commit().await?;
    Ok(Reply::json(&StateOf::new(&key)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use crate::kms::states;
    use crate::testing::{Ask, World, check};

    #[test]
    fn golden() {
        check(
            "kms.DeleteKey",
            &[
                Ask::kms("schedule-key-deletion", json!({"key_id": "{key}", "pending_days": "7"})),
                Ask::kms("schedule-key-deletion", json!({"key_id": "{key}", "pending_days": "7"})),
                Ask::kms("describe-key", json!({"key_id": "{key}"})),
            ],
        );
    }

    #[test]
    fn every_state() {
        let days = json!({"pending_days": "7"});
        states::check("schedule-key-deletion", &days, ["200 4", "200 4", "400 KMS.1402", "200 4"]);
        states::check_bound("schedule-key-deletion", &days);
    }

    #[test]
    fn days_are_seven_to_1096() {
        for (days, expected) in [
            (json!("6"), "400 KMS.1401"),
            (json!("7"), "200"),
            (json!(30), "200"),
            (json!("1096"), "200"),
            (json!("1097"), "400 KMS.1401"),
            (json!("-7"), "400 KMS.1401"),
            (json!(""), "400 KMS.1401"),
            (json!("x"), "400 KMS.1401"),
            (json!("99999999999999999999"), "400 KMS.1401"),
            (json!(null), "400 KMS.0204"),
        ] {
            let ask = Ask::kms("schedule-key-deletion", json!({"key_id": "{key}", "pending_days": days}));
            World::new().outcomes([(ask, expected)]);
        }
    }

    #[test]
    fn the_key_is_gone_when_its_time_comes() {
        let mut world = World::new();
        let describe = || Ask::kms("describe-key", json!({"key_id": "{key}"}));
        world.send(&Ask::kms("schedule-key-deletion", json!({"key_id": "{key}", "pending_days": "7"})));
        world.clock.advance(Duration::from_millis(7 * 86_400_000 - 1));
        world.outcomes([(describe(), "200")]);
        world.clock.advance(Duration::from_millis(1));
        world.outcomes([(describe(), "404 KMS.0207")]);
    }
}
