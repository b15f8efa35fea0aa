//! A whole authority in memory behind this dialect, asked through real requests, and the golden files.

mod ask;
mod golden;
mod sign;

use std::collections::BTreeMap;
use std::sync::Arc;

use claviger_api::{App, Incoming, Rates, serve};
use claviger_core::account::NewAccount;
use claviger_core::audit::{Audit, Settings as AuditSettings};
use claviger_core::key::KeySpec;
use claviger_core::records::User;
use claviger_core::region::Regions;
use claviger_core::user::NewUser;
use claviger_core::{
    AccountId, Authority, Clock, Entropy, HexId, Limits, Moment, RegionId, RootKey, Secret, UserId,
};
use claviger_store::{Faults, FaultyEngine, MemoryEngine};
use http_body_util::BodyExt;
use hyper::header::HeaderValue;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

pub(crate) use ask::{Answered, Ask};
pub(crate) use golden::check;
pub(crate) use sign::{access_key, encoded, incoming, sign, sign_canonical};

use ask::{Credentials, Found};

use crate::{Huawei, Settings};

/// When tests take place: 2026-01-02 03:04:05 UTC.
pub(crate) const NOW: u64 = 1_767_323_045;
/// The project of the account `root`.
pub(crate) const PROJECT: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
/// The account `root` as this cloud names it.
pub(crate) const DOMAIN: &str = "159b65b41ead484d8ddff250a4731781";
/// The password of every user.
pub(crate) const PASSWORD: &str = "Correct-Horse-7";

/// An authority with two accounts: `root`, whose users are `admin` (everything) and `alice` (nothing), and `stranger`. Each
/// of the four has an access key of that name. `{key}` is an enabled key of `root`, `{other_key}` one of `stranger`.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) app: Arc<App>,
    pub(crate) clock: Clock,
    /// Makes commits fail.
    pub(crate) faults: Arc<Faults>,
    names: BTreeMap<String, String>,
    _folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let clock = Clock::fixed(Moment::from_seconds(NOW));
        let faults = Arc::new(Faults::default());
        let engine = Arc::new(FaultyEngine::new(Arc::new(MemoryEngine::new()), Arc::clone(&faults)));
        let entropy = Entropy::seeded(7);
        let root_key = RootKey::generate(&entropy);
        let regions = Regions::single(KeySpec::Aes256);
        let opening = Authority::open(engine, root_key, regions, limits, clock.clone(), entropy);
        let authority = Arc::new(runtime.block_on(opening).expect("a fresh store"));
        let folder = tempfile::tempdir().expect("a folder");
        let audit = Audit::open(AuditSettings::new(folder.path())).expect("a fresh audit");
        let rates = Rates { off: true, ..Rates::default() };
        let dialect = Arc::new(Huawei::new(Settings::default()));
        let app = Arc::new(App::new(authority, Arc::new(audit), vec![dialect], &rates));
        let mut world = Self { runtime, app, clock, faults, names: BTreeMap::new(), _folder: folder };
        world.populate();
        world
    }

    fn populate(&mut self) {
        let stranger = HexId([0x99; 16]);
        let (root, _) = self.account("root", 1, HexId::parse(DOMAIN), HexId::parse(PROJECT));
        self.account("stranger", 2, Some(stranger), Some(HexId([0x98; 16])));
        for (name, policy) in [("admin", Some("AdministratorAccess")), ("alice", None)] {
            let user = self.user(root, name);
            if let Some(policy) = policy {
                let authority = &self.app.authority;
                let found = self.runtime.block_on(authority.policy_named(root, policy));
                let policy = found.expect("a readable store").expect("a preset");
                self.runtime.block_on(authority.attach(user.id, policy)).expect("attached");
            }
        }
        for (name, value) in [
            ("domain", DOMAIN.to_owned()),
            ("project", PROJECT.to_owned()),
            ("other_domain", stranger.to_string()),
            ("other_project", HexId([0x98; 16]).to_string()),
        ] {
            self.name(name, value);
        }
        let create = |alias: &str| serde_json::json!({"key_alias": alias});
        self.send(&Ask::kms("create-key", create("first")).keep("key", "/key_info/key_id"));
        let other = Ask::post("/v1.0/{other_project}/kms/create-key", create("other")).signed_by("stranger");
        self.send(&other.keep("other_key", "/key_info/key_id"));
    }

    fn account(
        &mut self,
        name: &str,
        id: u64,
        hex: Option<HexId>,
        project: Option<HexId>,
    ) -> (AccountId, User) {
        let byte = u8::try_from(id).expect("a small number");
        let new = NewAccount {
            name: name.into(),
            id: Some(AccountId(id)),
            app_id: Some(id),
            hex,
            root_hex: Some(HexId([byte; 16])),
            project,
            password: Some(Secret::from(PASSWORD.to_owned())),
        };
        let added = self.runtime.block_on(self.app.authority.add_account(new));
        let (account, user) = added.expect("a new account");
        self.give_access_key(&user, name);
        (account.id, user)
    }

    fn user(&mut self, account: AccountId, name: &str) -> User {
        // The letters are summed: `admin` is 521 and `alice` is 510.
        let number: u64 = name.bytes().map(u64::from).sum();
        let hex = HexId([u8::try_from(number % 251).expect("less than a byte"); 16]);
        let new = NewUser {
            name: name.into(),
            id: Some(UserId(number)),
            hex: Some(hex),
            password: Some(Secret::from(PASSWORD.to_owned())),
            ..NewUser::default()
        };
        let user = self.runtime.block_on(self.app.authority.add_user(account, new)).expect("a new user");
        self.give_access_key(&user, name);
        user
    }

    fn give_access_key(&mut self, user: &User, name: &str) {
        let (id, secret) = access_key(name);
        let secret = Secret::from(secret);
        let authority = &self.app.authority;
        let adding = authority.add_access_key(user, id.clone(), &secret, true, String::new());
        self.runtime.block_on(adding).expect("a first access key");
        self.name(&format!("{name}_access_key"), id);
        self.name(&format!("{name}_user"), user.hex.to_string());
    }

    /// A token of a user by its number, for a project if one is named.
    pub(crate) fn token(&self, user: u64, project: Option<&str>) -> String {
        let authority = &self.app.authority;
        let project = project.and_then(RegionId::parse);
        self.runtime.block_on(async {
            let user = authority.user(UserId(user)).await.expect("a readable store");
            let proof = authority.prove_by_password(user, Secret::from(PASSWORD.to_owned())).await;
            let caller = authority.caller(proof.expect("the right password")).await.expect("a user");
            let issued = authority.issue_token(&caller, project, vec!["password".into()], None).await;
            issued.expect("a token").0
        })
    }

    /// Gives something a name.
    pub(crate) fn name(&mut self, name: &str, value: impl Into<String>) {
        self.names.insert(name.into(), value.into());
    }

    /// What a name stands for.
    pub(crate) fn named(&self, name: &str) -> &str {
        self.names.get(name).map_or_else(|| panic!("nothing is called {name}"), String::as_str)
    }

    /// Sends a request and reads the answer.
    pub(crate) fn send(&mut self, ask: &Ask) -> Answered {
        let incoming = self.incoming(ask);
        let answered = self.serve(incoming);
        for (name, found) in &ask.kept {
            let value = match found {
                Found::Header(header) => {
                    answered.headers.get(*header).and_then(|value| value.to_str().ok()).map(str::to_owned)
                }
                Found::Pointer(pointer) => {
                    answered.json().pointer(pointer).and_then(Value::as_str).map(str::to_owned)
                }
            };
            self.name(name, value.unwrap_or_else(|| panic!("no {name} in {answered:?}")));
        }
        answered
    }

    /// Sends many requests and compares each one's outcome, such as `400 KMS.0205`.
    pub(crate) fn outcomes<'a>(&mut self, cases: impl IntoIterator<Item = (Ask, &'a str)>) {
        for (ask, expected) in cases {
            let answered = self.send(&ask);
            assert_eq!(answered.outcome(), expected, "{ask:?}\n{}", answered.body);
        }
    }

    /// Serves a request made by hand.
    pub(crate) fn serve(&self, incoming: Incoming) -> Answered {
        let no_head = incoming.method == hyper::Method::HEAD;
        let answered = self.runtime.block_on(async {
            let answer = serve(Arc::clone(&self.app), incoming).await;
            let (head, body) = answer.into_parts();
            let body = body.collect().await.expect("a whole body").to_bytes();
            let body = String::from_utf8(body.to_vec()).expect("a text");
            Answered { status: head.status, headers: head.headers, body }
        });
        assert_eq!(
            answered.headers.get("content-type").map(HeaderValue::as_bytes),
            Some(&b"application/json"[..])
        );
        assert_eq!(answered.headers.get("x-request-id").map(HeaderValue::len), Some(32));
        assert!(!no_head || answered.body.is_empty(), "an answer to HEAD has no body");
        answered
    }

    /// The request as it would arrive.
    pub(crate) fn incoming(&self, ask: &Ask) -> Incoming {
        let now = self.clock.now();
        let mut headers: Vec<(String, String)> =
            vec![("host".into(), "kms.local".into()), ("content-type".into(), "application/json".into())];
        headers.extend(ask.headers.iter().map(|(name, value)| (name.clone(), self.filled(value))));
        let (target, body) = (self.filled(&ask.target), self.filled(&ask.body));
        match &ask.credentials {
            Credentials::AccessKey(who) => {
                headers.push(("x-sdk-date".into(), now.timestamp().strftime("%Y%m%dT%H%M%SZ").to_string()));
                let (id, secret) = access_key(who);
                let signed = sign(ask.method, &target, &headers, &body, &id, &secret);
                headers.push(("authorization".into(), signed));
            }
            Credentials::None => {}
            Credentials::Token(token) => headers.push(("x-auth-token".into(), self.filled(token))),
        }
        incoming(ask.method, &target, &headers, &body, now)
    }

    /// A text with names filled in.
    fn filled(&self, text: &str) -> String {
        let fill =
            |text: String, (name, value): (&String, &String)| text.replace(&format!("{{{name}}}"), value);
        self.names.iter().fold(text.to_owned(), fill)
    }

    /// A text with what has a name shown by its name; longer values first.
    pub(super) fn shown(&self, text: &str) -> String {
        let mut names: Vec<_> = self.names.iter().filter(|(_, value)| value.len() > 8).collect();
        names.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        names
            .into_iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(value, &format!("{{{name}}}")))
    }
}
