//! `POST /v3.0/OS-CREDENTIAL/credentials`: makes an access key for a user.

use claviger_api::{Action, Reply, Request, params};
use claviger_core::{Cx, Fault, Permission};
use hyper::StatusCode;
use serde::{Deserialize, Serialize};

use crate::iam::STYLE;
use crate::iam::credential::{self, One, SHAPE, Shown};
use crate::iam::write;

pub(super) const ACTION: Action = write(
    "CreatePermanentAccessKey",
    Permission::AccessKeyCreate,
    "https://support.huaweicloud.com/intl/en-us/api-iam/iam_03_0001.html",
);

#[derive(Deserialize)]
struct Ask {
    credential: Wanted,
}

#[derive(Deserialize)]
struct Wanted {
    user_id: String,
    description: Option<String>,
}

#[derive(Serialize)]
struct New<'a> {
    #[serde(flatten)]
    shown: Shown,
    secret: &'a str,
}

/// 201, the only time the secret is shown. A third key of one user is refused with `akSkNumExceed`.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let wanted = params::json::<Ask>(&request.incoming.body, STYLE)?.credential;
    let description = credential::description(wanted.description)?.unwrap_or_default();
    let owner = credential::owner(cx, &wanted.user_id).await?;
    let issued = cx.create_access_key(&owner, &SHAPE, description).await?;
    // Revealed to be shown to its owner, once.
    let secret = std::str::from_utf8(issued.secret.reveal()).map_err(|_| Fault::Internal)?;
    let new = New { shown: Shown::new(&owner, issued.record), secret };
    Ok(Reply::json_as(StatusCode::CREATED, &One { credential: new }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::iam::logins::{by_secret, kept};
    use crate::testing::{Ask, World, check};

    fn create(user: &str) -> Ask {
        let body = json!({"credential": {"user_id": user, "description": "for the robot"}});
        Ask::post("/v3.0/OS-CREDENTIAL/credentials", body)
    }

    #[test]
    fn golden() {
        check(
            "iam.CreatePermanentAccessKey",
            &[
                create("{alice_user}")
                    .keep("new_access_key", "/credential/access")
                    .keep("new_secret", "/credential/secret"),
                create("{alice_user}"),
                create("{alice_user}").signed_by("alice"),
                create("{alice_user}").signed_by("stranger"),
                Ask::post("/v3.0/OS-CREDENTIAL/credentials", "{}"),
            ],
        );
    }

    #[test]
    fn a_new_key_has_the_shape_of_the_cloud_and_works() {
        let mut world = World::new();
        let made = create("{alice_user}")
            .keep("new_id", "/credential/access")
            .keep("new_secret", "/credential/secret");
        world.send(&made);
        let (id, secret) = (world.named("new_id").to_owned(), world.named("new_secret").to_owned());
        assert!(id.len() == 20 && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()), "{id}");
        assert!(secret.len() == 40 && secret.bytes().all(|b| b.is_ascii_alphanumeric()));
        let login = world.send(&kept("token", &by_secret(&id, &secret)));
        assert_eq!(login.json()["token"]["user"]["name"], "alice");
    }

    #[test]
    fn what_is_not_right_is_refused() {
        let mut world = World::new();
        let described =
            |length| json!({"credential": {"user_id": "{alice_user}", "description": "é".repeat(length)}});
        for (body, status) in [
            (json!([]), "400"),
            (json!({"credential": {}}), "400"),
            (json!({"credential": {"user_id": {}}}), "400"),
            (json!({"credential": {"user_id": "x"}}), "404"),
            (json!({"credential": {"user_id": "0123456789abcdef0123456789abcdef"}}), "404"),
            (json!({"credential": {"user_id": "{domain}"}}), "404"),
            (json!({"credential": {"user_id": "{stranger_user}"}}), "404"),
            (described(256), "400"),
            (described(255), "201"),
        ] {
            world.outcomes([(Ask::post("/v3.0/OS-CREDENTIAL/credentials", &body), status)]);
        }
    }
}
