use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use claviger_core::key::KeySpec;
use claviger_core::region::Regions;
use claviger_core::{AccountId, Authority, Clock, Entropy, KeyId, Limits, RegionId, RingId, RootKey, UserId};
use claviger_store::{MemoryEngine, Scan};

use super::*;

const SEED: &str = r#"
[[account]]
uin = 100000000001
app_id = 1250000001
domain_id = "0af7651916cd43dd8448eb211c80319c"
domain_name = "acme"
project_id = "b7ad6b7169203331b7ad6b7169203331"
user_id = "c7ad6b7169203331b7ad6b7169203331"
password = "Passw0rd!"
[[account.access_key]]
id = "AKIDroot"
secret = "root's secret"
[[account.policy]]
name = "enc-only"
document = '''{"version":"2.0","statement":[{"effect":"allow","action":["kms:Encrypt"],"resource":["*"]}]}'''
[[account.user]]
name = "alice"
uin = 100000000002
user_id = "d7ad6b7169203331b7ad6b7169203331"
policies = ["enc-only", "AdministratorAccess"]
[[account.user.access_key]]
id = "AKIDalice"
secret = "alice's secret"
status = "Inactive"
[[account.key]]
id = "23e80852-1e38-4e99-b129-5cb9019b4b01"
alias = "app"
description = "of the application"
tags = { team = "a" }
[[account.key]]
id = "23e80852-1e38-4e99-b129-5cb9019b4b02"
alias = "theirs"
origin = "external"
[account.bulk]
keys = 150
[[account]]
uin = 200000000001
app_id = 1250000002
domain_id = "1af7651916cd43dd8448eb211c80319c"
domain_name = "other"
project_id = "17ad6b7169203331b7ad6b7169203331"
"#;

fn parse(text: &str) -> Result<Seed> {
    toml_file::parse(Path::new("seed.toml"), text)
}

async fn authority() -> Arc<Authority> {
    let entropy = Entropy::seeded(1);
    let root = RootKey::generate(&entropy);
    let engine = Arc::new(MemoryEngine::new());
    let regions = Regions::single(KeySpec::Aes256);
    let opened = Authority::open(engine, root, regions, Limits::default(), Clock::system(), entropy).await;
    Arc::new(opened.expect("a new store"))
}

async fn applied(authority: &Arc<Authority>, text: &str) -> Result<()> {
    apply(authority, parse(text).expect("well-formed")).await
}

/// Every record with its version: equal only if nothing was written.
async fn everything(authority: &Authority) -> Vec<(Vec<u8>, u64)> {
    let page = authority.engine().scan(Scan::forward(b"", 4096)).await.expect("read");
    assert!(!page.more);
    page.entries.into_iter().map(|entry| (entry.key, entry.version)).collect()
}

#[tokio::test]
async fn what_is_declared_is_there() {
    let authority = authority().await;
    applied(&authority, SEED).await.expect("applied");
    let account = authority.account(AccountId(100_000_000_001)).await.expect("read").expect("there");
    assert_eq!((account.app_id, account.name.as_str()), (1_250_000_001, "acme"));
    let root = authority.user(UserId(100_000_000_001)).await.expect("read").expect("there");
    assert!(root.is_root() && root.password.is_some());
    assert_eq!(root.access_keys, ["AKIDroot"]);
    let alice = authority.user(UserId(100_000_000_002)).await.expect("read").expect("there");
    assert_eq!((alice.name.as_str(), alice.policies.len()), ("alice", 2));
    assert!(alice.password.is_none());
    let pair = authority.access_key("AKIDalice").await.expect("read").expect("there");
    assert!(pair.is_secret(b"alice's secret") && !pair.record.active);
    let id = KeyId::parse("23e80852-1e38-4e99-b129-5cb9019b4b01").expect("a good id");
    let key = stored::key(&authority, id).await.expect("read").expect("there");
    assert_eq!((key.alias.as_str(), key.tags.len(), key.versions.len()), ("app", 1, 1));
    let ring = RingId { account: account.id, region: RegionId::parse("local").expect("a good name") };
    for number in [0, 99, 100, 149] {
        let alias = format!("bulk-{number:06}");
        let found = stored::key_with_alias(&authority, &ring, &alias).await.expect("read");
        assert_eq!(found, Some(bulk::id(account.id, number)), "{alias}");
    }
    assert!(stored::key_with_alias(&authority, &ring, "bulk-000150").await.expect("read").is_none());
}

#[tokio::test]
async fn a_second_time_changes_nothing_and_a_larger_seed_adds() {
    let authority = authority().await;
    applied(&authority, SEED).await.expect("applied");
    let before = everything(&authority).await;
    applied(&authority, SEED).await.expect("applied again");
    assert_eq!(everything(&authority).await, before);
    // The status of an access key is its owner's business once it is there.
    let active = SEED.replace("status = \"Inactive\"", "status = \"Active\"");
    applied(&authority, &active).await.expect("applied with another status");
    assert_eq!(everything(&authority).await, before);
    let larger = SEED.replace("keys = 150", "keys = 151").replace("AKIDroot\"", "AKIDmore\"");
    applied(&authority, &larger).await.expect("applied with more");
    assert!(authority.access_key("AKIDmore").await.expect("read").is_some());
    assert!(everything(&authority).await.len() > before.len());
}

#[tokio::test]
async fn what_contradicts_the_store_is_named_and_changes_nothing() {
    let authority = authority().await;
    applied(&authority, SEED).await.expect("applied");
    let before = everything(&authority).await;
    let third = "[[account]]\nuin = 300000000001\napp_id = 1250000003\ndomain_id = \"2af7651916cd43dd8448eb211c80319c\"\n\
                 domain_name = \"third\"\nproject_id = \"27ad6b7169203331b7ad6b7169203331\"\n";
    for (old, new, expected) in [
        ("app_id = 1250000001", "app_id = 1", "account 100000000001 (acme): the store has app_id 1250000001"),
        ("\"acme\"", "\"acne\"", "the store has domain_name `acme`"),
        ("\"0af7", "\"9af7", "the store has domain_id 0af7"),
        ("\"b7ad", "\"97ad", "another project_id"),
        ("\"c7ad", "\"97ad", "the store has user_id c7ad"),
        ("secret = \"root's secret\"", "secret = \"x\"", "access key AKIDroot has another secret"),
        ("id = \"AKIDroot\"", "id = \"AKIDalice\"", "declared twice"),
        ("kms:Encrypt", "kms:Decrypt", "policy `enc-only`: the store has another document"),
        ("name = \"alice\"", "name = \"bob\"", "user 100000000002 (bob): the store has the name `alice`"),
        ("uin = 100000000002", "uin = 100000000003", "the store has the name `alice` for uin 100000000002"),
        ("\"d7ad", "\"97ad", "the store has user_id d7ad"),
        ("\"AdministratorAccess\"", "\"nowhere\"", "policy `nowhere` is neither declared nor"),
        ("origin = \"external\"", "origin = \"kms\"", "b4b02: the store has another origin"),
        ("4b02\"", "4b03\"", "its alias `theirs` is that of key 23e80852"),
        ("uin = 200000000001", "uin = 200000000002", "its domain_name is that of account 200000000001"),
        (
            "[[account.policy]]\nname = \"enc-only\"",
            "[[account.policy]]\nname = \"ReadOnlyAccess\"",
            "a preset has this name",
        ),
    ] {
        assert!(SEED.contains(old), "{old}");
        // Something new stands before the contradiction, and must not be made either.
        let text = format!("{third}{}", SEED.replacen(old, new, 1));
        let error = format!("{:#}", applied(&authority, &text).await.expect_err(expected));
        assert!(error.contains(expected), "{expected}: {error}");
        assert_eq!(everything(&authority).await, before, "{expected}");
    }
}

#[tokio::test]
async fn what_contradicts_itself_is_named() {
    let authority = authority().await;
    let before = everything(&authority).await;
    for (old, new, expected) in [
        ("uin = 200000000001", "uin = 100000000002", "uin `100000000002` is declared twice"),
        ("app_id = 1250000002", "app_id = 1250000001", "app_id `1250000001` is declared twice"),
        ("\"other\"", "\"acme\"", "domain_name `acme` is declared twice"),
        ("4b02\"", "4b01\"", "key `23e80852-1e38-4e99-b129-5cb9019b4b01` is declared twice"),
        ("\"theirs\"", "\"app\"", "the alias `app` is declared twice"),
        ("id = \"AKIDroot\"", "id = \"with space\"", "access key `with space` must be"),
        ("id = \"AKIDroot\"", "id = \"\"", "access key `` must be"),
        ("{\"version\"", "[\"version\"", "its document is not accepted"),
    ] {
        assert!(SEED.contains(old), "{old}");
        let error =
            format!("{:#}", applied(&authority, &SEED.replacen(old, new, 1)).await.expect_err(expected));
        assert!(error.contains(expected), "{expected}: {error}");
        assert_eq!(everything(&authority).await, before, "{expected}");
    }
    let pair = "[[account.access_key]]\nid = \"AKIDroot\"\nsecret = \"root's secret\"\n";
    let three = SEED.replacen(
        pair,
        &(pair.to_owned() + &pair.replace("root\"", "2\"") + &pair.replace("root\"", "3\"")),
        1,
    );
    let error = format!("{:#}", applied(&authority, &three).await.expect_err("three access keys"));
    assert!(error.contains("at most 2"), "{error}");
}

#[test]
fn what_is_malformed_is_named_with_its_line() {
    for (old, new, expected) in [
        (
            "uin = 100000000001\n",
            "uim = 100000000001\n",
            "seed.toml:3: unknown key `uim`; did you mean `uin`?",
        ),
        (
            "[[account.policy]]",
            "[[account.polcy]]",
            "seed.toml:13: unknown key `polcy`; did you mean `policy`?",
        ),
        ("\"0af7", "\"0AF7", "seed.toml:5: expected 32 lower-case hex characters"),
        ("\"Inactive\"", "\"inactive\"", "seed.toml:24: unknown value `inactive`; did you mean `Inactive`?"),
        ("\"external\"", "\"extern\"", "seed.toml:33: unknown value `extern`; did you mean `external`?"),
        ("5cb9019b4b01", "5cb9019b4b0", "seed.toml:26: expected a lower-case UUID"),
        ("keys = 150", "key = 150", "unknown key `key`; did you mean `keys`?"),
        ("keys = 150", "keys = -1", "seed.toml:35: invalid value"),
        ("secret = \"root's secret\"", "secret = \"\"", "seed.toml:12: a secret cannot be empty"),
        ("app_id = 1250000001\n", "", "`app_id` is missing"),
    ] {
        assert!(SEED.contains(old), "{old}");
        let error = parse(&SEED.replacen(old, new, 1)).expect_err(expected).to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let bulks = SEED.replace("[account.bulk]", "[[account.bulk]]");
    assert_eq!(
        parse(&bulks).expect("an array is as good").accounts.first().map(|account| account.bulk.len()),
        Some(1)
    );
    let shown = format!("{:?}", parse(SEED).expect("well-formed"));
    assert!(!shown.contains("Passw0rd") && !shown.contains("'s secret"), "{shown}");
}
