//! What many requests have in common.

use claviger_api::Request;
use claviger_api::params::{self, Lenience, Style};
use claviger_core::fault::KeyFault;
use claviger_core::{Fault, KeyId};
use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer};

/// Clients write numbers as texts and texts as numbers; both are taken.
const STYLE: Style = Style { number_as_text: Lenience::Accepted, text_as_number: Lenience::Accepted };

/// A request's body. Members that are not known are let pass.
pub(super) fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Fault> {
    params::json(&request.incoming.body, STYLE)
}

/// The key that a path names, where the project comes first and the key second.
pub(super) fn key_in_path(request: &Request) -> Result<KeyId, Fault> {
    KeyId::parse(request.captured(1)).ok_or(Fault::Key(KeyFault::MalformedId))
}

/// Checks that an `encryption_algorithm` is one of symmetric keys; there are no others.
pub(super) fn symmetric(algorithm: Option<&str>) -> Result<(), Fault> {
    match algorithm.unwrap_or_default() {
        "" | "SYMMETRIC_DEFAULT" => Ok(()),
        _ => Err(Fault::value("encryption_algorithm")),
    }
}

/// A key's id in a body. It is parsed inside the visitor, because a fault that is found there carries the parameter's name.
#[derive(Clone, Copy, Debug)]
pub(super) struct GivenKey(pub(super) KeyId);

impl<'de> Deserialize<'de> for GivenKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Parse;

        impl de::Visitor<'_> for Parse {
            type Value = GivenKey;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the id of a key")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<GivenKey, E> {
                KeyId::parse(text).map(GivenKey).ok_or_else(|| E::custom("expected a lower-case UUID"))
            }
        }

        from.deserialize_str(Parse)
    }
}

/// A serial number of the caller's own: 36 characters in the form of a UUID. It is checked and then of no further use.
#[derive(Debug)]
pub(super) struct Sequence;

impl<'de> Deserialize<'de> for Sequence {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let groups: Vec<usize> = text.split('-').map(str::len).collect();
        let shaped = groups == [8, 4, 4, 4, 12]
            && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit() || byte.is_ascii_lowercase());
        if shaped { Ok(Self) } else { Err(de::Error::custom("expected 36 characters")) }
    }
}

/// What an action on one key asks for.
#[derive(Debug, Deserialize)]
pub(super) struct OneKey {
    /// The key.
    pub(super) key_id: GivenKey,
    #[serde(rename = "sequence")]
    _sequence: Option<Sequence>,
}

#[cfg(test)]
mod tests {
    use crate::testing::{Ask, World};

    #[test]
    fn what_is_common_is_checked_alike() {
        let key = "\"key_id\":\"{key}\"";
        let ask = |body: &str| Ask::kms("describe-key", body);
        World::new().outcomes([
            (ask(&format!("{{{key}}}")), "200"),
            (ask(&format!("{{{key},\"more\":{{}}}}")), "200"),
            (ask(&format!("{{{key},\"sequence\":\"919c82d4-8046-4722-9094-35c3c6524cff\"}}")), "200"),
            (ask(&format!("{{{key},\"sequence\":null}}")), "200"),
            (ask(&format!("{{{key},\"sequence\":\"919c82d4-8046-4722-9094-35c3c6524cf\"}}")), "400 KMS.0206"),
            (
                ask(&format!("{{{key},\"sequence\":\"919C82D4-8046-4722-9094-35C3C6524CFF\"}}")),
                "400 KMS.0206",
            ),
            (ask(&format!("{{{key},\"sequence\":\"\"}}")), "400 KMS.0206"),
            (ask(&format!("{{{key},\"sequence\":7}}")), "400 KMS.0206"),
            (ask(&format!("{{{key},\"sequence\":{{}}}}")), "400 KMS.0206"),
            (ask("{}"), "400 KMS.0204"),
            (ask(""), "400 KMS.0204"),
            (ask("{"), "400 KMS.0202"),
            (ask("[]"), "400 KMS.0202"),
            (ask(r#"{"key_id":null}"#), "400 KMS.0204"),
            (ask(r#"{"key_id":""}"#), "400 KMS.0205"),
            (ask(r#"{"key_id":[]}"#), "400 KMS.0205"),
            (ask(r#"{"key_id":"0D0466B0-E727-4D9C-B35D-F84BB474A37F"}"#), "400 KMS.0205"),
            (ask(r#"{"key_id":"0d0466b0-e727-4d9c-b35d-f84bb474a37f"}"#), "404 KMS.0207"),
            (ask(r#"{"key_id":"{other_key}"}"#), "404 KMS.0207"),
        ]);
    }
}
