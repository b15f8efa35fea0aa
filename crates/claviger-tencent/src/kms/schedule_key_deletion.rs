//! `ScheduleKeyDeletion`: 7 to 30 days. An enabled key must be disabled first; one that something is bound to says so before.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::fault::KeyFault;
use claviger_core::key::KeyState;
use claviger_core::{Cx, Fault, Permission};
use serde::Deserialize;
use serde_json::json;

use super::one_key::{MemberAccount, key_id, no_member};
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "kms",
    name: "ScheduleKeyDeletion",
    permission: Permission::KeyScheduleDeletion,
    rate: 100,
    effect: Effect::Writes,
    access: Access::Signed,
    reference: "https://cloud.tencent.com/document/product/573",
};

/// Days between the call and the deletion.
const DAYS: std::ops::RangeInclusive<u64> = 7..=30;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    key_id: String,
    pending_window_in_days: u64,
    member_account: Option<MemberAccount>,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let parameters: Parameters = parse(request)?;
    no_member(parameters.member_account.as_ref())?;
    let id = key_id(&parameters.key_id)?;
    if !DAYS.contains(&parameters.pending_window_in_days) {
        return Err(KeyFault::DeletionWindowInvalid.into());
    }
    let mut edit = cx.edit(id).await?;
    let enabled = edit.key.state == KeyState::Enabled;
    let deletion = edit.key.schedule_deletion(cx.now, parameters.pending_window_in_days)?;
    if enabled {
        return Err(KeyFault::ShouldBeDisabled.into());
    }
    let key = edit.commit().await?;
    Ok(Reply::json(&json!({"DeletionDate": deletion.seconds(), "KeyId": key.id})))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn a_key_goes_when_its_time_comes() {
        let world = World::new().await;
        let created = world.call("root", "kms", "CreateKey", &json!({"Alias": "a"})).await;
        let id = json!({"KeyId": created["KeyId"]});
        let schedule = |days| json!({"KeyId": created["KeyId"], "PendingWindowInDays": days});
        for (action, parameters, expected) in [
            ("ScheduleKeyDeletion", schedule(7), "ResourceUnavailable.CmkShouldBeDisabled"),
            ("CancelKeyDeletion", id.clone(), "ResourceUnavailable.CmkNotPendingDelete"),
            ("DisableKey", id.clone(), "ok"),
            ("ScheduleKeyDeletion", schedule(6), "InvalidParameter.InvalidPendingWindowInDays"),
            ("ScheduleKeyDeletion", schedule(31), "InvalidParameter.InvalidPendingWindowInDays"),
            ("ScheduleKeyDeletion", schedule(30), "ok"),
            ("ScheduleKeyDeletion", schedule(30), "ResourceUnavailable.CmkStateNotSupport"),
            ("EnableKey", id.clone(), "ResourceUnavailable.CmkStateNotSupport"),
            ("DescribeKey", id.clone(), "ok"),
            ("CancelKeyDeletion", id.clone(), "ok"),
            ("EnableKey", id.clone(), "ok"),
            ("DisableKey", id.clone(), "ok"),
            ("ScheduleKeyDeletion", schedule(7), "ok"),
        ] {
            assert_eq!(
                world.code("root", "kms", action, &parameters).await,
                expected,
                "{action} {parameters}"
            );
        }
        world.clock.advance(Duration::from_secs(7 * 86_400 - 1));
        assert_eq!(world.code("root", "kms", "DescribeKey", &id).await, "ok");
        world.clock.advance(Duration::from_secs(1));
        assert_eq!(world.code("root", "kms", "DescribeKey", &id).await, "ResourceUnavailable.CmkNotFound");
        assert_eq!(world.app.authority.sweep().await, Ok(1));
        assert_eq!(world.app.authority.sweep().await, Ok(0));
        // Its alias is free again.
        assert_eq!(world.code("root", "kms", "CreateKey", &json!({"Alias": "a"})).await, "ok");
    }
}
