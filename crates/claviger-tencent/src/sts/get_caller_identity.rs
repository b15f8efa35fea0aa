//! `GetCallerIdentity`: who signed. Everybody may ask, unless a policy denies it.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use serde::{Deserialize, Serialize};

use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "sts",
    name: "GetCallerIdentity",
    permission: Permission::CallerRead,
    rate: 20,
    effect: Effect::Reads,
    access: Access::Signed,
    reference: "https://console.cloud.tencent.com/api/explorer?Product=sts&Version=2018-08-13&Action=GetCallerIdentity",
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    arn: String,
    account_id: String,
    user_id: String,
    principal_id: String,
    #[serde(rename = "Type")]
    kind: &'static str,
}

/// Performs it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let Parameters {} = parse(request)?;
    let account = cx.account().await?;
    let user = cx.caller()?.user.id.0;
    Ok(Reply::json(&Output {
        // Spelled as in the vendor's example, with the account where resources have their region.
        arn: format!("qcs::cam:{}:uin/{user}", account.id.0),
        account_id: account.id.0.to_string(),
        user_id: user.to_string(),
        principal_id: user.to_string(),
        kind: "CAMUser",
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn callers_learn_who_they_are() {
        let world = World::new().await;
        world.user("alice", 100_000_000_002, &[]).await;
        let deny = json!({"version": "2.0", "statement": {
            "effect": "deny", "action": "sts:*", "resource": "*",
        }});
        world.user("bob", 100_000_000_003, &[deny]).await;
        for (who, uin) in [("root", "100000000001"), ("alice", "100000000002")] {
            assert_eq!(
                world.call(who, "sts", "GetCallerIdentity", &json!({})).await,
                json!({
                    "Arn": format!("qcs::cam:100000000001:uin/{uin}"),
                    "AccountId": "100000000001",
                    "UserId": uin,
                    "PrincipalId": uin,
                    "Type": "CAMUser",
                })
            );
        }
        for (who, parameters, code) in [
            ("bob", json!({}), "AuthFailure.UnauthorizedOperation"),
            ("alice", json!({"TargetUin": 1}), "UnknownParameter"),
            ("nobody", json!({}), "AuthFailure.SecretIdNotFound"),
        ] {
            assert_eq!(world.code(who, "sts", "GetCallerIdentity", &parameters).await, code, "{who}");
        }
    }
}
