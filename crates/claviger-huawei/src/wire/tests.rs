//! Who gets in: every client's way of signing, tokens, and all that must be refused.

use std::time::Duration;

use claviger_api::Incoming;
use claviger_core::{Fault, Moment, Secret, UserId, sha256_hex};
use serde_json::{Value, json};

use crate::testing::{Ask, NOW, PROJECT, World, access_key, encoded, incoming, sign, sign_canonical};
use crate::wire::signature::verify;

const VECTOR_KEY: (&str, &str) = ("CLAVIGERTESTAK000001", "clavigerTestSecretKey0123456789abcdefABCD");
const DATE: &str = "20260102T030405Z";
const KEY_PATH: &str = "/v1.0/0a1b2c3d4e5f60718293a4b5c6d7e8f9/kms/0d0466b0-e727-4d9c-b35d-f84bb474a37f/tags";

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What the signature of a request by hand comes to.
fn verified(world: &World, request: &Incoming) -> Result<(), Fault> {
    world.runtime.block_on(verify(&world.app.authority, request, "kms", 900)).map(drop)
}

/// A world in which the root user has the access key of the vectors.
fn vector_world() -> World {
    let world = World::new();
    world.runtime.block_on(async {
        let authority = &world.app.authority;
        let root = authority.user(UserId(1)).await.expect("a readable store").expect("the root user");
        let secret = Secret::from(VECTOR_KEY.1.to_owned());
        let added = authority.add_access_key(&root, VECTOR_KEY.0.into(), &secret, true, String::new()).await;
        added.expect("a second access key");
    });
    world
}

#[test]
fn signatures_of_the_python_client_are_verified() {
    let world = vector_world();
    let body = r#"{"tag": {"key": "DEV", "value": "DEV1"}}"#;
    let aliases = format!("/v1.0/{PROJECT}/kms/aliases?key_id=k%201&limit=10&marker=a%2B%2F%3Db");
    let tag = format!("{KEY_PATH}/%E7%8E%AF%20%E5%A2%83%2Fx");
    let direct = format!("SDK-HMAC-SHA256 Access={}", VECTOR_KEY.0);
    let derived = format!("V11-HMAC-SHA256 Credential={}/20260102/cn-north-4/kms", VECTOR_KEY.0);
    let (utf8, plain) = ("application/json;charset=utf-8", "application/json");
    for (method, target, content_type, body, scheme, signature) in [
        (
            "POST",
            KEY_PATH,
            utf8,
            body,
            &direct,
            "71a66a6327153abfb51de89a8db1a378a110566a89e20da2201a2dbe8f0aa063",
        ),
        (
            "GET",
            &aliases,
            plain,
            "",
            &direct,
            "54ea418fe97f86322739a27b62fcd9c2a6dc66463681b2b95e68b02e491d3249",
        ),
        (
            "DELETE",
            &tag,
            plain,
            "",
            &direct,
            "aae13ce772b003b342a91acdf191cef70870ed8a5b9dbc33527d66548190d68e",
        ),
        (
            "POST",
            KEY_PATH,
            utf8,
            body,
            &derived,
            "4a0a71d676193c7d6c43b01dc402b6748f7f7c3e66df4cc1f9873d02ddc0caee",
        ),
    ] {
        let signed = "SignedHeaders=content-type;host;user-agent;x-project-id;x-sdk-date";
        let authorization = |signature: &str| format!("{scheme}, {signed}, Signature={signature}");
        let mut headers = owned(&[
            ("content-type", content_type),
            ("host", "127.0.0.1:8443"),
            ("user-agent", "huaweicloud-usdk-python/3.0"),
            ("x-project-id", PROJECT),
            ("x-sdk-date", DATE),
            ("authorization", &authorization(signature)),
        ]);
        let request = |headers: &[(String, String)], body| {
            incoming(method, target, headers, body, Moment::from_seconds(NOW))
        };
        assert_eq!(verified(&world, &request(&headers, body)), Ok(()), "{method} {target}");
        let incoming = request(&headers, body);
        let elsewhere = verify(&world.app.authority, &incoming, "iam", 900);
        let elsewhere = world.runtime.block_on(elsewhere).is_ok();
        assert_eq!(elsewhere, scheme.starts_with("SDK"), "a scope is for one service, {scheme}");
        assert!(verified(&world, &request(&headers, "{}")).is_err(), "another body");
        let last = headers.len() - 1;
        headers[last].1 = authorization(&signature.replace(['0', '1'], "2"));
        assert!(verified(&world, &request(&headers, body)).is_err(), "another signature");
    }
}

/// How a client makes the canonical path of the path it sends.
type Spelling = fn(&str) -> String;
/// Who, the method, the path, the body, how it is spelled, and which headers are signed.
type Client<'c> = (&'c str, &'c str, &'c str, &'c str, Spelling, &'c [&'c str]);
/// What is changed, and how.
type Change = (&'static str, fn(&mut Incoming));

fn again(path: &str) -> String {
    path.split('/').map(encoded).collect::<Vec<_>>().join("/") + "/"
}

fn raw(path: &str) -> String {
    format!("{path}/")
}

#[test]
fn every_clients_way_is_verified() {
    let world = World::new();
    let (id, secret) = access_key("root");
    let all: &[&str] = &["accept", "content-type", "host", "user-agent", "x-project-id", "x-sdk-date"];
    let node: &[&str] = &["content-type", "host", "x-project-id", "x-sdk-date"];
    let go: &[&str] = &["user-agent", "x-project-id", "x-sdk-date"];
    let terraform: &[&str] = &["accept", "content-type", "user-agent", "x-sdk-date"];
    let cases: [Client; 11] = [
        ("node", "GET", "/tags", "{}", again, node),
        ("node, a b", "DELETE", "/tags/a%20b", "", again, node),
        ("node, a/b", "DELETE", "/tags/a/b", "", again, node),
        ("node, 100%", "DELETE", "/tags/100%", "", again, node),
        ("java", "POST", "/tags", r#"{"tag":{"key":"é"}}"#, again, all),
        ("java, é", "DELETE", "/tags/%C3%A9", "", again, all),
        ("go", "POST", "/tags", "{\"tag\":{\"key\":\"k\"}}\n", raw, go),
        ("terraform", "POST", "/tags/action", r#"{"action":"create"}"#, raw, terraform),
        ("the recipe", "POST", "/tags", "{}", raw, &["host", "x-sdk-date"]),
        ("the least", "GET", "/tags", "", raw, &["x-sdk-date"]),
        ("as it is sent", "DELETE", "/tags/a%2fb", "", raw, &["x-sdk-date"]),
    ];
    for (client, method, path, body, spelling, signed) in cases {
        let path = path.replace("/tags", KEY_PATH);
        let mut headers = owned(&[
            ("accept", "application/json"),
            ("content-type", "application/json; charset=UTF-8"),
            ("host", "kms.local:7600"),
            ("user-agent", "a client"),
            ("x-project-id", PROJECT),
            ("x-sdk-date", DATE),
        ]);
        let covered: Vec<_> =
            headers.iter().filter(|(name, _)| signed.contains(&name.as_str())).cloned().collect();
        let hash = sha256_hex(body.as_bytes());
        let authorization =
            sign_canonical(method, &spelling(&path), "", &covered, hash.as_str(), (&id, &secret));
        headers.push(("authorization".into(), authorization));
        let request = incoming(method, &path, &headers, body, Moment::from_seconds(NOW));
        assert_eq!(verified(&world, &request), Ok(()), "{client}");
        let other = incoming(method, &format!("{path}x"), &headers, body, Moment::from_seconds(NOW));
        assert!(verified(&world, &other).is_err(), "{client} with another path");
    }
}

/// A signed request for the tags of the first key, changed by hand after it was signed.
fn changed(world: &World, ask: &Ask, change: impl FnOnce(&mut Incoming)) -> String {
    let mut request = world.incoming(ask);
    change(&mut request);
    world.serve(request).outcome()
}

fn add(request: &mut Incoming, name: &'static str, value: &str) {
    request.headers.append(name, value.parse().expect("a good value"));
}

fn set(request: &mut Incoming, name: &'static str, value: &str) {
    request.headers.insert(name, value.parse().expect("a good value"));
}

#[test]
fn what_was_changed_on_the_way_is_refused() {
    let world = World::new();
    let ask = Ask::kms("list-keys", json!({"limit": "10"})).header("x-extra", "1");
    let refused = "401 APIGW.0301";
    assert_eq!(changed(&world, &ask, |_| {}), "200");
    assert_eq!(changed(&world, &ask, |request| add(request, "x-unsigned", "1")), "200");
    let changes: [Change; 12] = [
        ("method and path", |request| request.uri = KEY_PATH.parse().expect("a path")),
        ("query", |request| request.uri = format!("{}?a=b", request.uri).parse().expect("a path")),
        ("body", |request| request.body = r#"{"limit":"11"}"#.into()),
        ("value", |request| set(request, "x-extra", "2")),
        ("removed", |request| drop(request.headers.remove("x-extra"))),
        ("signed header twice", |request| add(request, "x-extra", "1")),
        ("date twice", |request| add(request, "x-sdk-date", DATE)),
        ("no date", |request| drop(request.headers.remove("x-sdk-date"))),
        ("project twice", |request| {
            add(request, "x-project-id", PROJECT);
            add(request, "x-project-id", PROJECT);
        }),
        ("authorization twice", |request| {
            let first = request.headers.get("authorization").cloned().expect("it is signed");
            request.headers.append("authorization", first);
        }),
        ("token twice", |request| {
            add(request, "x-auth-token", "a");
            add(request, "x-auth-token", "b");
        }),
        ("security token", |request| add(request, "x-security-token", "unknown")),
    ];
    for (what, change) in changes {
        assert_eq!(changed(&world, &ask, change), refused, "{what}");
    }
    for value in [
        "",
        "Basic YTpi",
        "SDK-HMAC-SHA256 nonsense",
        "SDK-HMAC-SM3 Access=AK, SignedHeaders=x-sdk-date, Signature=00",
        "V11-HMAC-SHA256 Credential=AKROOTXXXXXXXXXXXXXX/20200101/x/kms, SignedHeaders=x-sdk-date, Signature=00",
    ] {
        assert_eq!(changed(&world, &ask, |request| set(request, "authorization", value)), refused, "{value}");
    }
}

#[test]
fn a_declared_hash_must_be_true() {
    let world = World::new();
    let (id, secret) = access_key("root");
    let path = format!("/v1.0/{PROJECT}/kms/list-keys");
    let body = r#"{"limit":"1"}"#;
    let (real, empty) = (sha256_hex(body.as_bytes()), sha256_hex(b""));
    let upper = real.as_str().to_ascii_uppercase();
    for (body, declared, signed, expected) in [
        (body, real.as_str(), real.as_str(), "200"),
        (body, &upper, &upper, "200"),
        (body, "UNSIGNED-PAYLOAD", "UNSIGNED-PAYLOAD", "401 APIGW.0301"),
        (body, empty.as_str(), empty.as_str(), "401 APIGW.0301"),
        (body, "", "", "401 APIGW.0301"),
        ("", "UNSIGNED-PAYLOAD", empty.as_str(), "200"),
        ("", "UNSIGNED-PAYLOAD", "UNSIGNED-PAYLOAD", "401 APIGW.0301"),
        ("", empty.as_str(), empty.as_str(), "200"),
    ] {
        let mut headers = owned(&[("host", "h"), ("x-sdk-content-sha256", declared), ("x-sdk-date", DATE)]);
        let signature = sign_canonical("POST", &raw(&path), "", &headers, signed, (&id, &secret));
        headers.push(("authorization".into(), signature));
        let request = incoming("POST", &path, &headers, body, Moment::from_seconds(NOW));
        assert_eq!(world.serve(request).outcome(), expected, "{body} declared {declared}");
    }
}

#[test]
fn the_clock_may_be_fifteen_minutes_off() {
    let world = World::new();
    let request = world.incoming(&Ask::kms("list-keys", ""));
    for (seconds, expected) in
        [(NOW - 900, Ok(())), (NOW + 900, Ok(())), (NOW - 901, Err(())), (NOW + 901, Err(()))]
    {
        let mut request = Incoming { received: Moment::from_seconds(seconds), ..copy(&request) };
        request.received = Moment::from_seconds(seconds);
        assert_eq!(verified(&world, &request).map_err(drop), expected, "{seconds}");
    }
}

fn copy(request: &Incoming) -> Incoming {
    Incoming {
        method: request.method.clone(),
        uri: request.uri.clone(),
        headers: request.headers.clone(),
        body: request.body.clone(),
        source: request.source,
        received: request.received,
        id: request.id,
    }
}

#[test]
fn nobody_learns_which_access_keys_exist() {
    let world = World::new();
    let (id, secret) = access_key("root");
    let path = format!("/v1.0/{PROJECT}/kms/list-keys");
    let answer = |id: &str, secret: &str| {
        let mut headers = owned(&[("host", "h"), ("x-sdk-date", DATE)]);
        headers.push(("authorization".into(), sign("POST", &path, &headers, "", id, secret)));
        let answered = world.serve(incoming("POST", &path, &headers, "", Moment::from_seconds(NOW)));
        (answered.outcome(), answered.body)
    };
    assert_eq!(answer(&id, &secret).0, "200");
    let wrong = answer(&id, "wrong");
    assert_eq!(wrong.0, "401 APIGW.0301");
    assert_eq!(answer("UNKNOWNUNKNOWN000000", &secret), wrong);
    let inactive = world.runtime.block_on(async {
        let authority = &world.app.authority;
        let root = authority.user(UserId(1)).await.expect("a readable store").expect("the root user");
        let secret = Secret::from("secret".to_owned());
        authority.add_access_key(&root, "INACTIVE".into(), &secret, false, String::new()).await
    });
    inactive.expect("a second access key");
    assert_eq!(answer("INACTIVE", "secret"), wrong);
}

#[test]
fn projects_must_agree() {
    let mut world = World::new();
    let list = |project: &str| Ask::post(format!("/v1.0/{project}/kms/list-keys"), "");
    world.outcomes([
        (list("{project}"), "200"),
        (list("{other_project}"), "403 KMS.0321"),
        (list("{domain}"), "403 KMS.0321"),
        (list("x"), "403 KMS.0321"),
        (list(&"0".repeat(32)), "403 KMS.0321"),
        (list("{project}").header("x-project-id", "{project}"), "200"),
        (list("{project}").header("x-project-id", ""), "200"),
        (list("{project}").header("x-project-id", "{other_project}"), "403 KMS.0321"),
    ]);
    let unsigned =
        changed(&world, &list("{project}"), |request| add(request, "x-project-id", &"0".repeat(32)));
    assert_eq!(unsigned, "403 KMS.0321");
}

#[test]
fn tokens() {
    let mut world = World::new();
    for (name, user, project) in
        [("good", 1, Some("local")), ("of_domain", 1, None), ("of_stranger", 2, Some("local"))]
    {
        let token = world.token(user, project);
        world.name(name, token);
    }
    let list = || Ask::kms("list-keys", "");
    world.outcomes([
        (list().with_token("{good}"), "200"),
        (list().with_token("{of_domain}"), "403 KMS.0321"),
        (list().with_token("{of_stranger}"), "403 KMS.0321"),
        (list().with_token(""), "403 KMS.0302"),
        (list().with_token("garbage"), "403 KMS.0302"),
        (list().with_token("MIIA"), "403 KMS.0302"),
        (list().anonymous(), "403 KMS.0301"),
        // With both, whichever is good.
        (list().header("x-auth-token", "{good}").signed_by("nobody"), "200"),
        (list().header("x-auth-token", "garbage"), "200"),
        (list().header("x-auth-token", "garbage").signed_by("nobody"), "401 APIGW.0301"),
        (list().header("x-auth-token", "{of_stranger}"), "403 KMS.0321"),
    ]);
    world.clock.advance(Duration::from_hours(24));
    world.outcomes([(list().with_token("{good}"), "403 KMS.0303")]);
}

#[test]
fn refusals_of_the_gateway_name_the_request() {
    let mut world = World::new();
    let answered = world.send(&Ask::kms("list-keys", "").signed_by("nobody"));
    let id = answered.headers.get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    assert_eq!(answered.json()["request_id"].as_str().map(str::to_owned), id);
    let answered = world.send(&Ask::kms("list-keys", "").anonymous());
    let members = answered.json()["error"].as_object().map(|error| error.keys().cloned().collect::<Vec<_>>());
    assert_eq!(members, Some(vec!["error_code".to_owned(), "error_msg".to_owned()]));
    assert_eq!(answered.json()["error"]["error_code"], Value::from("KMS.0301"));
}
