//! `PUT /v3.0/OS-CREDENTIAL/credentials/{access_key}`: activates, inactivates or describes an access key.

use claviger_api::{Action, Reply, Request, params};
use claviger_core::{Cx, Fault, Permission};
use serde::Deserialize;

use crate::iam::STYLE;
use crate::iam::credential::{self, One, Shown};
use crate::iam::write;

pub(super) const ACTION: Action = write(
    "UpdatePermanentAccessKey",
    Permission::AccessKeyUpdate,
    "https://support.huaweicloud.com/intl/en-us/api-iam/iam_03_0004.html",
);

#[derive(Deserialize)]
struct Ask {
    credential: Change,
}

#[derive(Deserialize)]
struct Change {
    status: Option<String>,
    description: Option<String>,
}

/// 200 with the key as it is now. What is absent stays as it is.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let change = params::json::<Ask>(&request.incoming.body, STYLE)?.credential;
    let active = match change.status.as_deref() {
        None => None,
        Some("active") => Some(true),
        Some("inactive") => Some(false),
        Some(_) => return Err(Fault::value("credential.status")),
    };
    let description = credential::description(change.description)?;
    let id = request.captured(0);
    let owner = credential::owner_of(cx, id).await?;
    let record = cx.update_access_key(&owner, id, active, description).await?;
    Ok(Reply::json(&One { credential: Shown::new(&owner, record) }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Ask, World, check};

    fn update(id: &str, change: &Value) -> Ask {
        Ask::new("PUT", format!("/v3.0/OS-CREDENTIAL/credentials/{id}"), json!({"credential": change}))
    }

    #[test]
    fn golden() {
        let off = json!({"status": "inactive", "description": "lost"});
        let use_it = || Ask::get("/v3/auth/domains").signed_by("alice");
        check(
            "iam.UpdatePermanentAccessKey",
            &[
                update("{alice_access_key}", &off),
                use_it(),
                update("{alice_access_key}", &json!({"status": "active"})),
                use_it(),
                update("{alice_access_key}", &json!({"status": "gone"})),
                update("{stranger_access_key}", &off),
                update("{alice_access_key}", &off).signed_by("alice"),
            ],
        );
    }

    #[test]
    fn status_and_description_change_apart() {
        let mut world = World::new();
        for (change, outcome, status, description) in [
            (json!({}), "200", "active", ""),
            (json!({"description": "mine"}), "200", "active", "mine"),
            (json!({"status": "inactive"}), "200", "inactive", "mine"),
            (json!({"status": "inactive"}), "200", "inactive", "mine"),
            (json!({"status": "Active"}), "400", "inactive", "mine"),
            (json!({"status": ""}), "400", "inactive", "mine"),
            (json!({"status": "active", "description": "é".repeat(256)}), "400", "inactive", "mine"),
            (json!({"status": "active", "description": ""}), "200", "active", ""),
        ] {
            world.outcomes([(update("{alice_access_key}", &change), outcome)]);
            let now = world.send(&Ask::get("/v3.0/OS-CREDENTIAL/credentials/{alice_access_key}")).json();
            let now = &now["credential"];
            assert_eq!(
                (&now["status"], &now["description"]),
                (&json!(status), &json!(description)),
                "{change}"
            );
        }
        world.outcomes([
            (update("NOSUCHKEY", &json!({})), "404"),
            (Ask::new("PUT", "/v3.0/OS-CREDENTIAL/credentials/{alice_access_key}", ""), "400"),
        ]);
    }
}
