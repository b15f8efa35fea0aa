//! Who cannot do what: each attack on IAM, and how it ends.

use std::time::Duration;

use claviger_core::user::NewUser;
use claviger_core::{AccountId, Cx, Permission, Secret};
use serde_json::{Value, json};

use crate::iam::logins::{by_access_key, by_password, by_secret, by_token, by_user, kept, login, scoped};
use crate::testing::{Ask, PASSWORD, World, access_key};

const KEYS: &str = "/v3.0/OS-CREDENTIAL/credentials";

#[test]
fn nobody_learns_whether_a_user_exists() {
    let mut world = World::new();
    let alice = access_key("alice");
    for (name, body) in [
        ("wrong password", by_password("root", "root", "wrong")),
        ("empty password", by_password("root", "root", "")),
        ("unknown user", by_password("root", "nobody", PASSWORD)),
        ("unknown account", by_password("nowhere", "root", PASSWORD)),
        ("another account's user", by_password("stranger", "alice", PASSWORD)),
        ("names that cannot be", by_password("", "", PASSWORD)),
        ("unknown id", by_user(&json!({"id": "0123456789abcdef0123456789abcdef", "password": PASSWORD}))),
        ("no id at all", by_user(&json!({"id": "x", "password": PASSWORD}))),
        ("an account's id", by_user(&json!({"id": "{domain}", "password": PASSWORD}))),
        (
            "a user's id for an account's",
            by_user(&json!({"name": "root", "password": PASSWORD, "domain": {"id": "{root_user}"}})),
        ),
        ("wrong secret", by_secret(&alice.0, "wrong")),
        ("unknown access key", by_secret("NOSUCHKEY", &alice.1)),
        ("an access key that cannot be", by_secret(&"A".repeat(65), &alice.1)),
    ] {
        refused(&mut world, name, &body);
    }
    let off = json!({"credential": {"status": "inactive"}});
    world.send(&Ask::new("PUT", format!("{KEYS}/{{alice_access_key}}"), off));
    refused(&mut world, "an inactive access key", &by_access_key("alice"));
}

fn refused(world: &mut World, name: &str, body: &Value) {
    let answer = world.send(&login(body));
    let error =
        json!({"message": "The username or password is wrong.", "code": 401, "title": "Unauthorized"});
    assert_eq!((answer.status.as_u16(), answer.json()), (401, json!({"error": error})), "{name}");
    assert!(!answer.headers.contains_key("x-subject-token"), "{name}: no token");
}

#[test]
fn a_token_is_only_ever_ones_own() {
    let mut world = World::new();
    world.send(&kept("token", &by_password("root", "alice", PASSWORD)));
    let mut body = by_token("{token}");
    // What the body says beside the method that is used does not count.
    body["auth"]["identity"]["password"] = json!({"user": {"id": "{root_user}", "password": "x"}});
    body["auth"]["identity"]["hw_ak_sk"] =
        json!({"access": {"key": "{root_access_key}"}, "secret": {"key": "x"}});
    for scope in
        [Value::Null, json!({"domain": {"name": "root"}}), json!({"project": {"name": "cn-north-4"}})]
    {
        let answer = world.send(&login(&scoped(body.clone(), scope)));
        let token = &answer.json()["token"];
        assert_eq!((answer.status.as_u16(), &token["user"]["id"]), (201, &json!(world.named("alice_user"))));
        assert_eq!(token["roles"], json!([]), "no role of the root user");
    }
    world.outcomes([(login(&scoped(body, json!({"domain": {"name": "stranger"}}))), "404")]);
}

#[test]
fn a_token_from_a_token_lives_no_longer() {
    let mut world = World::new();
    world.send(&kept("first", &by_access_key("root")));
    world.clock.advance(Duration::from_secs(86_399));
    let second = world.send(&kept("second", &by_token("{first}")));
    assert_eq!(second.json()["token"]["expires_at"], "2026-01-03T03:04:05.000000Z");
    world.outcomes([(Ask::get("/v3/auth/domains").with_token("{second}"), "200")]);
    world.clock.advance(Duration::from_secs(1));
    for token in ["{first}", "{second}"] {
        world.outcomes([
            (Ask::get("/v3/auth/domains").with_token(token), "401"),
            (login(&by_token(token)), "401"),
        ]);
    }
}

#[test]
fn tokens_die_with_their_user_and_by_revocation() {
    let mut world = World::new();
    add_carol(&world);
    world.send(&kept("carols", &by_password("root", "carol", PASSWORD)));
    world.send(&kept("revoked", &by_access_key("alice")));
    let use_it = |token: &str| Ask::get("/v3/auth/domains").with_token(token);
    world.outcomes([
        (use_it("{carols}"), "200"),
        (use_it("{revoked}"), "200"),
        (Ask::delete("/v3/auth/tokens").header("X-Subject-Token", "{revoked}"), "204"),
    ]);
    delete_carol(&world);
    for token in ["{carols}", "{revoked}", "nonsense", &"A".repeat(5000)] {
        let answer = world.send(&Ask::get("/v3/auth/tokens").header("X-Subject-Token", token));
        let error =
            json!({"message": "Could not find what the request names.", "code": 404, "title": "Not Found"});
        assert_eq!((answer.status.as_u16(), answer.json()), (404, json!({"error": error})), "{token}");
        world.outcomes([(use_it(token), "401"), (login(&by_token(token)), "401")]);
    }
}

#[test]
fn a_token_dies_with_the_access_key_behind_it_and_with_the_token_before_it() {
    let mut world = World::new();
    world.send(&kept("first", &by_access_key("alice")));
    world.send(&kept("second", &by_token("{first}")));
    world.send(&kept("third", &by_token("{second}")));
    world.send(&kept("other", &by_access_key("alice")));
    let use_it = |token: &str| Ask::get("/v3/auth/domains").with_token(token);
    let expect = |world: &mut World, status: [&str; 4]| {
        for (token, status) in ["{first}", "{second}", "{third}", "{other}"].iter().zip(status) {
            world.outcomes([(use_it(token), status)]);
        }
    };
    expect(&mut world, ["200"; 4]);
    world.outcomes([(Ask::delete("/v3/auth/tokens").header("X-Subject-Token", "{second}"), "204")]);
    expect(&mut world, ["200", "401", "401", "200"]);
    let (id, _) = access_key("alice");
    let inactive = json!({"credential": {"status": "inactive"}});
    world.outcomes([(Ask::new("PUT", format!("/v3.0/OS-CREDENTIAL/credentials/{id}"), inactive), "200")]);
    expect(&mut world, ["401"; 4]);
}

fn add_carol(world: &World) {
    let password = Some(Secret::from(PASSWORD.to_owned()));
    let carol = NewUser { name: "carol".into(), password, ..NewUser::default() };
    world.runtime.block_on(world.app.authority.add_user(AccountId(1), carol)).expect("a new user");
}

fn delete_carol(world: &World) {
    let authority = &world.app.authority;
    world.runtime.block_on(async {
        let (id, secret) = access_key("root");
        let access_key = authority.access_key(&id).await.expect("a store").expect("the key");
        let proof = access_key.prove_by_secret(&Secret::from(secret)).expect("the secret");
        let root = authority.caller(proof).await.expect("the root user");
        let region = authority.regions().first().id.clone();
        let cx = Cx::new(authority, Some(root), Permission::UserDelete, region, [127, 0, 0, 1].into());
        let carol = cx.user_named("carol").await.expect("a user");
        cx.delete_user(&carol).await.expect("a user without access keys");
    });
}

#[test]
fn others_tokens_are_out_of_reach() {
    let mut world = World::new();
    world.send(&kept("alices", &by_access_key("alice")));
    world.send(&kept("roots", &by_access_key("root")));
    for (name, who, token, outcome) in [
        ("one's own", "alice", "{alices}", "200"),
        ("the root user on a user's", "root", "{alices}", "200"),
        ("another user, whatever its policies", "admin", "{alices}", "403"),
        ("a user on the root user's", "alice", "{roots}", "403"),
        ("another account's root user", "stranger", "{alices}", "404"),
        ("another account's root user on the root user's", "stranger", "{roots}", "404"),
    ] {
        let ask =
            |method| Ask::new(method, "/v3/auth/tokens", "").signed_by(who).header("X-Subject-Token", token);
        world.outcomes([(ask("GET"), outcome)]);
        if outcome != "200" {
            world.outcomes([(ask("DELETE"), outcome)]);
            let used = world.send(&Ask::get("/v3/auth/domains").with_token(token));
            assert_eq!(used.status, 200, "{name}: still good");
        }
    }
}

#[test]
fn access_keys_are_for_those_who_are_permitted() {
    let mut world = World::new();
    let of = |user: &str| format!("{KEYS}?user_id={user}");
    let one = |key: &str| format!("{KEYS}/{key}");
    let new = |user: &str| json!({"credential": {"user_id": user}}).to_string();
    let off = || json!({"credential": {"status": "inactive"}}).to_string();
    let none = String::new;
    for (name, who, method, path, body, outcome) in [
        ("list one's own without a policy", "alice", "GET", KEYS.to_owned(), none(), "403"),
        ("list another's without a policy", "alice", "GET", of("{admin_user}"), none(), "403"),
        ("list the root user's without a policy", "alice", "GET", of("{root_user}"), none(), "403"),
        ("make one's own without a policy", "alice", "POST", KEYS.to_owned(), new("{alice_user}"), "403"),
        ("make another's without a policy", "alice", "POST", KEYS.to_owned(), new("{admin_user}"), "403"),
        ("make the root user's", "alice", "POST", KEYS.to_owned(), new("{root_user}"), "403"),
        ("show one's own without a policy", "alice", "GET", one("{alice_access_key}"), none(), "403"),
        ("inactivate another's", "alice", "PUT", one("{admin_access_key}"), off(), "403"),
        ("inactivate the root user's", "alice", "PUT", one("{root_access_key}"), off(), "403"),
        ("delete the root user's", "alice", "DELETE", one("{root_access_key}"), none(), "403"),
        ("list with a policy", "admin", "GET", of("{alice_user}"), none(), "200"),
        ("show with a policy", "admin", "GET", one("{alice_access_key}"), none(), "200"),
        ("list the root user's, whatever the policies", "admin", "GET", of("{root_user}"), none(), "403"),
        (
            "make the root user's, whatever the policies",
            "admin",
            "POST",
            KEYS.to_owned(),
            new("{root_user}"),
            "403",
        ),
        (
            "show the root user's, whatever the policies",
            "admin",
            "GET",
            one("{root_access_key}"),
            none(),
            "403",
        ),
        (
            "inactivate the root user's, whatever the policies",
            "admin",
            "PUT",
            one("{root_access_key}"),
            off(),
            "403",
        ),
        (
            "delete the root user's, whatever the policies",
            "admin",
            "DELETE",
            one("{root_access_key}"),
            none(),
            "403",
        ),
        ("list another account's", "stranger", "GET", of("{alice_user}"), none(), "404"),
        ("make in another account", "stranger", "POST", KEYS.to_owned(), new("{alice_user}"), "404"),
        ("show another account's", "stranger", "GET", one("{alice_access_key}"), none(), "404"),
        ("show one that is not there", "stranger", "GET", one("NOSUCHKEY"), none(), "404"),
        ("inactivate another account's", "stranger", "PUT", one("{alice_access_key}"), off(), "404"),
        ("delete another account's", "stranger", "DELETE", one("{alice_access_key}"), none(), "404"),
    ] {
        let answer = world.send(&Ask::new(method, path, body).signed_by(who));
        assert_eq!(answer.outcome(), outcome, "{name}: {}", answer.body);
    }
    for who in ["root", "admin", "alice"] {
        world.outcomes([(Ask::get("/v3/auth/domains").signed_by(who), "200")]);
    }
}
