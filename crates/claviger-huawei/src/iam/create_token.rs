//! `POST /v3/auth/tokens`: a token for a password, an access key with its secret, or another token.

use claviger_api::{Access, Action, Reply, Request, params};
use claviger_core::{Cx, Fault, Permission};
use hyper::StatusCode;
use serde::Deserialize;

use crate::iam::identity::{Identity, Proven};
use crate::iam::scope::Scope;
use crate::iam::{LOGINS, write};
use crate::iam::{STYLE, token};

/// Nothing is stored, but a login goes into the audit even if the client hangs up. Logins are limited by source address.
pub(super) const ACTION: Action = Action {
    access: Access::Open,
    rate: LOGINS,
    ..write(
        "KeystoneCreateToken",
        Permission::TokenCreate,
        "https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0001.html",
    )
};

#[derive(Deserialize)]
struct Ask {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    identity: Identity,
    #[serde(default)]
    scope: Option<Scope>,
}

/// 201 with the token in `X-Subject-Token`. A token made from another ends with it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let Auth { identity, scope } = params::json::<Ask>(&request.incoming.body, STYLE)?.auth;
    let authority = cx.authority;
    let Proven { proof, method, not_after } = identity.prove(cx).await?;
    let caller = authority.caller(proof).await?;
    cx.touch(|| format!("user/{}", caller.user.id.0));
    // The action is open to everybody; what follows is done as the user who logged in, with what that user is permitted.
    let login = Cx::new(authority, Some(caller.clone()), cx.permission(), cx.region.clone(), cx.source);
    let account = login.account().await?;
    let project = scope.unwrap_or_default().resolve(authority, &account)?;
    let region = project.as_ref().map(|project| project.region.clone());
    let (text, claims) = authority.issue_token(&caller, region, vec![method], not_after).await?;
    token::reply(request, StatusCode::CREATED, &text, &claims, (&account, &caller.user), project.as_ref())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::iam::logins::{by_access_key, by_password, by_token, by_user, kept, login, scoped};
    use crate::testing::{DOMAIN, PASSWORD, PROJECT, World, check};

    #[test]
    fn golden() {
        let root = by_password("root", "root", PASSWORD);
        let named = |name: &str| json!({"project": {"name": name}});
        check(
            "iam.KeystoneCreateToken",
            &[
                kept("token", &scoped(root.clone(), named("cn-north-4"))),
                kept("account_token", &root),
                kept("second_token", &scoped(by_token("{token}"), json!({"domain": {"id": "{domain}"}}))),
                kept("alices_token", &by_access_key("alice")),
                login(&by_password("root", "root", "wrong")),
                login(&scoped(root, json!({"project": {"id": "{other_project}"}}))),
                login(&json!({"auth": {"identity": {"methods": ["assume_role"]}}})),
            ],
        );
    }

    #[test]
    fn credentials_of_every_kind_become_a_token() {
        let mut world = World::new();
        world.send(&kept("token", &by_password("root", "root", PASSWORD)));
        for (name, body) in [
            ("name and account", by_password("root", "root", PASSWORD)),
            (
                "name and account's id",
                by_user(&json!({"name": "root", "password": PASSWORD, "domain": {"id": DOMAIN}})),
            ),
            ("user's id", by_user(&json!({"id": "{root_user}", "password": PASSWORD}))),
            ("access key", by_access_key("root")),
            ("token", by_token("{token}")),
        ] {
            let answer = world.send(&kept("new", &body));
            assert_eq!(answer.status, 201, "{name}: {}", answer.body);
            let shown = &answer.json()["token"];
            assert_eq!(shown["user"]["id"], world.named("root_user"), "{name}");
            assert_eq!(shown["methods"], body["auth"]["identity"]["methods"], "{name}");
            assert_eq!(shown["domain"]["id"], DOMAIN, "{name}: the account without a scope");
            assert_eq!(shown["issued_at"], "2026-01-02T03:04:05.000000Z", "{name}");
            assert_eq!(shown["expires_at"], "2026-01-03T03:04:05.000000Z", "{name}");
            let domains = crate::testing::Ask::get("/v3/auth/domains").with_token("{new}");
            assert_eq!(world.send(&domains).json()["domains"][0]["id"], DOMAIN, "{name}: and it is good");
        }
    }

    #[test]
    fn scopes_are_resolved() {
        let mut world = World::new();
        for (name, scope, status, expected) in [
            ("null", Value::Null, 201, Value::Null),
            ("empty", json!({}), 201, Value::Null),
            ("project by id", json!({"project": {"id": PROJECT}}), 201, json!("local")),
            ("project by name", json!({"project": {"name": "cn-north-4"}}), 201, json!("cn-north-4")),
            (
                "project of the account by name",
                json!({"project": {"name": "eu-west-0", "domain": {"name": "root"}}}),
                201,
                json!("eu-west-0"),
            ),
            ("project wins", json!({"project": {"name": "x"}, "domain": {"name": "root"}}), 201, json!("x")),
            ("account by name", json!({"domain": {"name": "root"}}), 201, Value::Null),
            ("account by id", json!({"domain": {"id": DOMAIN}}), 201, Value::Null),
            ("another's project", json!({"project": {"id": "{other_project}"}}), 404, Value::Null),
            ("another account", json!({"domain": {"name": "stranger"}}), 404, Value::Null),
            ("another account's id", json!({"domain": {"id": "{other_domain}"}}), 404, Value::Null),
            ("id and name differ", json!({"domain": {"id": DOMAIN, "name": "stranger"}}), 404, Value::Null),
            (
                "project under another account",
                json!({"project": {"name": "x", "domain": {"name": "stranger"}}}),
                404,
                Value::Null,
            ),
            (
                "no such project",
                json!({"project": {"id": "0123456789abcdef0123456789abcdef"}}),
                404,
                Value::Null,
            ),
            ("no id at all", json!({"project": {"id": "x"}}), 404, Value::Null),
            ("no name at all", json!({"project": {"name": "a b"}}), 404, Value::Null),
            ("nothing named", json!({"project": {}}), 400, Value::Null),
            ("no account named", json!({"domain": {}}), 400, Value::Null),
        ] {
            let answer = world.send(&login(&scoped(by_access_key("root"), scope)));
            assert_eq!(answer.status, status, "{name}: {}", answer.body);
            let shown = &answer.json()["token"];
            assert_eq!(shown["project"]["name"], expected, "{name}");
            if status == 201 {
                assert_eq!(shown["domain"].is_null(), !expected.is_null(), "{name}: one of the two");
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let mut world = World::new();
        let methods = |methods: Value| json!({"auth": {"identity": {"methods": methods}}});
        for (body, says) in [
            (json!([]), "The request body is not a JSON object."),
            (json!({}), "The parameter auth is required."),
            (json!({"auth": {}}), "The parameter auth.identity is required."),
            (json!({"auth": {"identity": {}}}), "The parameter auth.identity.methods is required."),
            (methods(json!("password")), "The parameter auth.identity.methods must be of type array."),
            (methods(json!([])), "The value of the parameter auth.identity.methods is not allowed."),
            (methods(json!(["password"])), "The parameter auth.identity.password is required."),
            (methods(json!(["token"])), "The parameter auth.identity.token is required."),
            (methods(json!(["hw_ak_sk"])), "The parameter auth.identity.hw_ak_sk is required."),
            (
                by_user(&json!({"name": "root", "domain": {"name": "root"}})),
                "The parameter auth.identity.password.user.password is required.",
            ),
            (
                by_user(&json!({"name": "root", "password": "x"})),
                "The parameter auth.identity.password.user.domain is required.",
            ),
            (
                by_user(&json!({"password": "x"})),
                "The parameter auth.identity.password.user.name is required.",
            ),
            (
                by_user(&json!({"name": "root", "password": "x", "domain": {}})),
                "The parameter auth.identity.password.user.domain.name is required.",
            ),
            (
                methods(json!(["mapped"])),
                "The method 'mapped' in auth.identity.methods is not supported yet.",
            ),
            (
                methods(json!(["password", "totp"])),
                "The method 'password+totp' in auth.identity.methods is not supported yet.",
            ),
        ] {
            let answer = world.send(&login(&body));
            assert_eq!(
                (answer.status.as_u16(), &answer.json()["error"]["message"]),
                (400, &json!(says)),
                "{body}"
            );
        }
    }

    #[test]
    fn the_catalog_can_be_left_out() {
        let mut world = World::new();
        let body = scoped(by_access_key("root"), json!({"project": {"id": PROJECT}}));
        for (query, shown) in [
            ("", true),
            ("?nocatalog", true),
            ("?nocatalog=", true),
            ("?nocatalog=true", false),
            ("?nocatalog=0", false),
        ] {
            let answer =
                world.send(&crate::testing::Ask::post(format!("/v3/auth/tokens{query}"), &body).anonymous());
            assert_eq!(answer.json()["token"]["catalog"].is_array(), shown, "{query}: {}", answer.body);
        }
    }
}
