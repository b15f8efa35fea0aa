//! A whole authority in memory behind this dialect, asked through signed requests, and the golden files.

mod golden;
mod wrapping;

use std::sync::Arc;

use bytes::Bytes;
use claviger_api::{App, Incoming, Rates, RequestId, serve};
use claviger_core::account::NewAccount;
use claviger_core::audit::{Audit, Settings as AuditSettings};
use claviger_core::key::KeySpec;
use claviger_core::records::User;
use claviger_core::region::Regions;
use claviger_core::user::NewUser;
use claviger_core::{
    AccountId, Authority, Clock, Entropy, HexId, Limits, MacKey, Moment, RootKey, Secret, UserId, sha256_hex,
};
use claviger_store::{Faults, FaultyEngine, MemoryEngine};
use http_body_util::BodyExt;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

pub(crate) use golden::{ALICE, Ask, BOB, ROOT, check};

use crate::{Settings, Tencent};

/// When tests take place: 2026-01-02 03:04:05 UTC.
pub(crate) const NOW: u64 = 1_767_323_045;

/// A request that nobody signed.
pub(crate) fn incoming(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Incoming {
    let headers = headers.iter().map(|(name, value)| {
        let name: HeaderName = name.parse().expect("a good name");
        (name, HeaderValue::from_str(value).expect("a good value"))
    });
    Incoming {
        method: method.parse().expect("a good method"),
        uri: target.parse().expect("a good target"),
        headers: headers.collect(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        source: [127, 0, 0, 1].into(),
        received: Moment::from_seconds(NOW),
        id: RequestId::new(&Entropy::seeded(9)),
    }
}

/// The authority, two accounts and the switches of the engine.
pub(crate) struct World {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Clock,
    pub(crate) faults: Arc<Faults>,
    _folder: tempfile::TempDir,
}

/// Whose key signs: the id and the secret of an access key are derived from the name.
pub(crate) fn secret_id(name: &str) -> String {
    format!("AKID{name:x<32}")
}

fn secret_of(name: &str) -> Secret {
    Secret::from(format!("{name:y<32}"))
}

impl World {
    /// Account `root` (100000000001) and account `stranger` (100000000009), each with an access key of that name.
    pub(crate) async fn new() -> Self {
        let faults = Arc::new(Faults::default());
        let engine = Arc::new(FaultyEngine::new(Arc::new(MemoryEngine::new()), Arc::clone(&faults)));
        let clock = Clock::fixed(Moment::from_seconds(NOW));
        let entropy = Entropy::seeded(7);
        let root = RootKey::generate(&entropy);
        let regions = Regions::single(KeySpec::Aes256);
        let opened = Authority::open(engine, root, regions, Limits::default(), clock.clone(), entropy).await;
        let authority = Arc::new(opened.expect("a fresh store"));
        let folder = tempfile::tempdir().expect("a folder");
        let audit = Audit::open(AuditSettings::new(folder.path())).expect("a fresh audit");
        let tencent = Arc::new(Tencent::new(Settings::default()));
        let rates = Rates { off: true, ..Rates::default() };
        let app = Arc::new(App::new(authority, Arc::new(audit), vec![tencent], &rates));
        let world = Self { app, clock, faults, _folder: folder };
        for (name, id) in [("root", 100_000_000_001), ("stranger", 100_000_000_009)] {
            let new = NewAccount {
                name: name.into(),
                id: Some(AccountId(id)),
                app_id: Some(id - 98_700_000_000),
                hex: Some(HexId([u8::try_from(id % 10).expect("a digit"); 16])),
                ..NewAccount::default()
            };
            let (_, user) = world.app.authority.add_account(new).await.expect("a new account");
            world.give_key(&user, name).await;
        }
        world
    }

    async fn give_key(&self, user: &User, name: &str) {
        let added = self
            .app
            .authority
            .add_access_key(user, secret_id(name), &secret_of(name), true, String::new())
            .await;
        added.expect("a first access key");
    }

    /// A user of the first account, with an access key of that name and policies of these documents.
    pub(crate) async fn user(&self, name: &str, number: u64, documents: &[Value]) {
        let authority = &self.app.authority;
        let new = NewUser { name: name.into(), id: Some(UserId(number)), ..NewUser::default() };
        let user = authority.add_user(AccountId(100_000_000_001), new).await.expect("a new user");
        for (at, document) in documents.iter().enumerate() {
            let document = document.to_string();
            let new = claviger_core::policies::NewPolicy {
                name: format!("{name}-{at}"),
                description: String::new(),
                language: claviger_core::permission::Language::Cam2,
                statements: crate::parse_policy(&document).expect("a good document"),
                document,
            };
            let policy = authority.add_policy(AccountId(100_000_000_001), new).await.expect("a new policy");
            authority.attach(user.id, policy.id).await.expect("attached");
        }
        self.give_key(&user, name).await;
    }

    /// What `who` gets for an action: the `Response` object without its request id.
    pub(crate) async fn call(&self, who: &str, service: &str, action: &str, parameters: &Value) -> Value {
        let incoming = self.signed(who, service, action, &parameters.to_string());
        self.send(incoming).await
    }

    /// The code of the error that `who` gets, or `ok`.
    pub(crate) async fn code(&self, who: &str, service: &str, action: &str, parameters: &Value) -> String {
        let response = self.call(who, service, action, parameters).await;
        response.pointer("/Error/Code").and_then(Value::as_str).unwrap_or("ok").to_owned()
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, incoming: Incoming) -> Value {
        let answer = serve(Arc::clone(&self.app), incoming).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(
            answer.headers().get("content-type").map(HeaderValue::as_bytes),
            Some(&b"application/json"[..])
        );
        let body = answer.into_body().collect().await.expect("a whole body").to_bytes();
        let mut body: Value = serde_json::from_slice(&body).expect("JSON");
        let response = body.get_mut("Response").and_then(Value::as_object_mut).expect("an envelope");
        assert!(response.remove("RequestId").is_some());
        json!(response)
    }

    /// A POST signed with `TC3-HMAC-SHA256`, as the SDKs do it.
    pub(crate) fn signed(&self, who: &str, service: &str, action: &str, body: &str) -> Incoming {
        let version = crate::wire::VERSIONS
            .iter()
            .find(|(name, _)| *name == service)
            .map_or("", |(_, version)| version);
        let now = self.clock.now();
        let (time, date) = (now.seconds().to_string(), now.timestamp().strftime("%Y-%m-%d").to_string());
        let host = format!("{service}.tencentcloudapi.com");
        let canonical = format!(
            "POST\n/\n\ncontent-type:application/json\nhost:{host}\n\ncontent-type;host\n{}",
            &*sha256_hex(body.as_bytes())
        );
        let scope = format!("{date}/{service}/tc3_request");
        let text = format!("TC3-HMAC-SHA256\n{time}\n{scope}\n{}", &*sha256_hex(canonical.as_bytes()));
        let first = [b"TC3".as_slice(), secret_of(who).reveal()].concat();
        let key = [date.as_str(), service, "tc3_request"]
            .iter()
            .fold(MacKey::sha256(&first), |key, part| MacKey::sha256(&key.sign(&[part.as_bytes()])));
        let signature = claviger_core::hex_lower(&key.sign(&[text.as_bytes()]));
        let authorization = format!(
            "TC3-HMAC-SHA256 Credential={}/{scope}, SignedHeaders=content-type;host, Signature={signature}",
            secret_id(who)
        );
        let headers = [
            ("host", host.as_str()),
            ("content-type", "application/json"),
            ("x-tc-action", action),
            ("x-tc-version", version),
            ("x-tc-timestamp", &time),
            ("x-tc-language", "en-US"),
            ("authorization", &authorization),
        ];
        incoming("POST", "/", &headers, body)
    }
}
