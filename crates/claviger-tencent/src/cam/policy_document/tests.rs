use claviger_core::policy::{Compiled, Resource, Verdict};
use claviger_core::{KeyId, RegionId, UserId};
use proptest::prelude::*;

use super::*;

/// A document of one statement.
fn document(members: &str) -> String {
    format!(r#"{{"version":"2.0","statement":[{{{members}}}]}}"#)
}

/// A document that allows one action on everything.
fn action(text: &str) -> String {
    document(&format!(r#""effect":"allow","action":"{text}","resource":"*""#))
}

/// A document that allows everything on one resource.
fn resource(text: &str) -> String {
    document(&format!(r#""effect":"allow","action":"*","resource":"{text}""#))
}

#[test]
fn the_reference_document_is_read() {
    let read = parse_policy(
        r#"{"version":"2.0","statement":[{"effect":"allow","action":["kms:Encrypt","name/kms:Decrypt"],
            "resource":["qcs::kms:ap-guangzhou:uin/100000000001:key/creatorUin/100000000001/*"]}]}"#,
    );
    let expected = Statement {
        effect: Effect::Allow,
        actions: vec!["kms:Encrypt".into(), "kms:Decrypt".into()],
        resources: vec![Pattern::Of {
            service: "kms".into(),
            region: "ap-guangzhou".into(),
            account: Some(AccountId(100_000_000_001)),
            path: "key/creatorUin/100000000001/*".into(),
        }],
    };
    assert_eq!(read, Ok(vec![expected]));
}

/// A deny on a key whose id somebody copied in upper case means that key.
#[test]
fn ids_and_regions_are_read_in_any_case() {
    for (text, region, path) in [
        (
            "qcs::kms:AP-Guangzhou::key/creatorUin/7/23E80852-1E38-11E9-B129-5CB9019B4B01",
            "ap-guangzhou",
            "key/creatorUin/7/23e80852-1e38-11e9-b129-5cb9019b4b01",
        ),
        ("qcs::kms:::key/creatorUin/*/23E8*", "", "key/creatorUin/*/23e8*"),
        ("qcs::kms:::key/creatorUin/7/*-5CB9019B4B01", "", "key/creatorUin/7/*-5cb9019b4b01"),
        ("qcs::kms:AP-*::key/creatorU*", "ap-*", "key/creatorU*"),
        ("qcs::cos:::bucket/Photos", "", "bucket/Photos"),
    ] {
        let read = parse_policy(&resource(text)).expect("a good document");
        let resources: Vec<_> = read.into_iter().flat_map(|statement| statement.resources).collect();
        let [Pattern::Of { region: has_region, path: has_path, .. }] = resources.as_slice() else {
            panic!("{text} has become {resources:?}")
        };
        assert_eq!((has_region.as_str(), has_path.as_str()), (region, path), "{text}");
    }
}

#[test]
fn good_documents_are_read() {
    for text in [
        r#"{"statement":{"resource":"*","action":"*","effect":"deny"},"version":"2.0"}"#.to_owned(),
        document(r#""effect":"allow","action":["*"],"resource":["*"],"condition":{}"#),
        action("kms:*"),
        action("KMS:encrypt"),
        action("kms:Describe*"),
        action("*:Describe*"),
        action("name/cam:*AccessKey"),
        action("name/*"),
        action("tag:ModifyResourceTags"),
        action("sts:GetCallerIdentity"),
        action("cam:DeleteApiKey"),
        action("cvm:RunInstances"),
        resource("qcs::kms:::key/*"),
        resource("qcs::kms::uin/:key/creatorUin/1/*"),
        resource("qcs::kms:ap-*:uin/1:*"),
        resource("qcs::*:*:*:*"),
        resource("qcs::cam::uin/1:uin/2"),
        resource("qcs::cos:ap-guangzhou:uin/*:bucket/a:b"),
    ] {
        assert!(parse_policy(&text).is_ok(), "{text}");
    }
}

#[test]
fn bad_documents_are_refused() {
    use PolicyFault::{
        Action, ActionMissing, ActionUnknown, Condition, Document, Effect, Principal, Resource, Statement,
        Version,
    };
    let good = r#""effect":"allow","action":"*","resource":"*""#;
    for (text, fault) in [
        (String::new(), Document),
        ("[]".to_owned(), Document),
        ("{".to_owned(), Document),
        (format!(r#"{{"version":"2.0","statement":{{{good}}}}} trailing"#), Document),
        (format!(r#"{{"Version":"2.0","statement":{{{good}}}}}"#), Document),
        (format!(r#"{{"version":"2.0","version":"2.0","statement":{{{good}}}}}"#), Document),
        (document(&format!(r#"{good},"effect":"deny""#)), Document),
        (document(&format!(r#"{good},"\u0065ffect":"deny""#)), Document),
        (document(&format!(r#"{good},"condition":{{"ip_equal":{{}},"ip_equal":{{}}}}"#)), Document),
        (format!(r#"{{"version":"2.0","statement":{{{good}}},"principal":{{}}}}"#), Principal),
        (format!(r#"{{"statement":{{{good}}}}}"#), Version),
        (format!(r#"{{"version":"1.0","statement":{{{good}}}}}"#), Version),
        (format!(r#"{{"version":2.0,"statement":{{{good}}}}}"#), Version),
        (r#"{"version":"2.0"}"#.to_owned(), Statement),
        (r#"{"version":"2.0","statement":[]}"#.to_owned(), Statement),
        (r#"{"version":"2.0","statement":["*"]}"#.to_owned(), Statement),
        (r#"{"version":"2.0","statement":"*"}"#.to_owned(), Statement),
        (document(&format!(r#"{good},"Condition":{{}}"#)), Statement),
        (document(&format!(r#"{good},"notAction":"*""#)), Statement),
        (document(&format!(r#"{good},"condition":{{"ip_equal":{{"qcs:ip":["10.0.0.0/8"]}}}}"#)), Condition),
        (document(&format!(r#"{good},"condition":null"#)), Condition),
        (document(&format!(r#"{good},"condition":[]"#)), Condition),
        (document(&format!(r#"{good},"principal":{{"qcs":["*"]}}"#)), Principal),
        (document(r#""action":"*","resource":"*""#), Effect),
        (document(r#""effect":"Allow","action":"*","resource":"*""#), Effect),
        (document(r#""effect":["allow"],"action":"*","resource":"*""#), Effect),
        (document(r#""effect":"allow","resource":"*""#), ActionMissing),
        (document(r#""effect":"allow","action":[],"resource":"*""#), ActionMissing),
        (document(r#""effect":"allow","action":[1],"resource":"*""#), Action),
        (document(r#""effect":"allow","action":null,"resource":"*""#), Action),
        (action("Encrypt"), Action),
        (action("kms:"), Action),
        (action(":Encrypt"), Action),
        (action("kms:Encrypt "), Action),
        (action("kms:Encrypt:x"), Action),
        (action("kms:Encript"), ActionUnknown),
        (action("kms:EncryptX"), ActionUnknown),
        (action("cam:"), Action),
        (action("permid/1"), Action),
        (action("name/"), Action),
        (document(r#""effect":"allow","action":"*""#), Resource),
        (document(r#""effect":"allow","action":"*","resource":[]"#), Resource),
        (document(r#""effect":"allow","action":"*","resource":["*",{}]"#), Resource),
        (resource("**"), Resource),
        (resource("qcs::kms:::"), Resource),
        (resource("qcs::kms::key/*"), Resource),
        (resource("qcs:1:kms:::key/*"), Resource),
        (resource("qcs:::::key/*"), Resource),
        (resource("acs::kms:::key/*"), Resource),
        (resource("qcs::kms::uid/1300000000:key/*"), Resource),
        (resource("qcs::kms::uin/+1:key/*"), Resource),
        (resource("qcs::kms::uin/1*:key/*"), Resource),
        (resource("qcs::kms::100000000001:key/*"), Resource),
        (resource("qcs::kms::uin/99999999999999999999999:key/*"), Resource),
        (resource("qcs::kms:::key/${uin}/*"), Resource),
        (resource("qcs::kms:::key/a b"), Resource),
    ] {
        assert_eq!(parse_policy(&text), Err(fault), "{text}");
    }
}

#[test]
fn length_and_depth_have_limits() {
    let of_length = |chars: usize| {
        let empty = action("cvm:");
        action(&format!("cvm:{}", "x".repeat(chars - empty.chars().count())))
    };
    assert!(parse_policy(&of_length(6144)).is_ok());
    assert_eq!(parse_policy(&of_length(6145)), Err(PolicyFault::DocumentTooLong));
    let deep = format!("{}{}", "[".repeat(3000), "]".repeat(3000));
    assert_eq!(parse_policy(&deep), Err(PolicyFault::Document));
}

/// What is read means what the language says, down to core's verdict.
#[test]
fn documents_mean_what_they_say() {
    let region = RegionId::parse("local").expect("a good name");
    let id = KeyId([1; 16]);
    let key = Resource::Key { region: &region, creator: UserId(7), id };
    let owner = AccountId(100_000_000_001);
    for (text, verdict) in [
        (action("kms:Encrypt"), Verdict::Allowed),
        (action("name/KMS:encrypt"), Verdict::Allowed),
        (action("kms:Decrypt"), Verdict::Silent),
        (resource(&format!("qcs::kms:::key/creatorUin/7/{id}")), Verdict::Allowed),
        (resource("qcs::KMS::uin/:key/creatorUin/7/*"), Verdict::Allowed),
        (resource("qcs::kms::uin/100000000001:key/*"), Verdict::Allowed),
        (resource("qcs::kms::uin/100000000002:key/*"), Verdict::Silent),
        (resource("qcs::kms:::key/creatorUin/8/*"), Verdict::Silent),
        (resource("qcs::cam:::*"), Verdict::Silent),
        (document(r#""effect":"deny","action":"*:*","resource":"*""#), Verdict::Denied),
    ] {
        let statements = parse_policy(&text).expect("a good document");
        let said = Compiled::new(Language::Cam2, &statements).verdict(owner, Permission::Encrypt, key, &[]);
        assert_eq!(said, verdict, "{text}");
    }
    // The same of an operation: all of a service denies it and does not allow it.
    for (effect, resource, verdict) in [
        ("deny", "qcs::kms:*:*:*", Verdict::Denied),
        ("deny", "qcs::kms:::*", Verdict::Denied),
        ("deny", "qcs::kms::uin/100000000001:*", Verdict::Denied),
        ("deny", "qcs::kms:::key/*", Verdict::Silent),
        ("allow", "qcs::kms:*:*:*", Verdict::Silent),
        ("allow", "*", Verdict::Allowed),
    ] {
        let text = document(&format!(r#""effect":"{effect}","action":"kms:*","resource":"{resource}""#));
        let compiled = Compiled::new(Language::Cam2, &parse_policy(&text).expect("a good document"));
        let said = compiled.verdict(owner, Permission::KeyCreate, Resource::Operation, &[]);
        assert_eq!(said, verdict, "{text}");
    }
}

proptest! {
    #[test]
    fn arbitrary_text_is_read_or_refused(text in ".*") {
        let _ = parse_policy(&text);
    }

    /// Near the grammar: pieces of good documents in any order.
    #[test]
    fn shuffled_pieces_are_read_or_refused(pieces in proptest::collection::vec(piece(), 0..24)) {
        let text = pieces.concat();
        let _ = parse_policy(&text);
        let _ = parse_policy(&action(&text));
        let _ = parse_policy(&resource(&text));
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "*",
        "/",
        "qcs::",
        "kms",
        "uin/",
        "key/",
        "name/",
        "Encrypt",
        "\"version\":\"2.0\"",
        "\"statement\":",
        "\"effect\":\"allow\"",
        "\"action\":",
        "\"resource\":",
        "\u{0}",
        "键",
    ])
}
