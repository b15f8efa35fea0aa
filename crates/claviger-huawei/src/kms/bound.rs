//! What a ciphertext is bound to besides its key.

use std::collections::BTreeMap;

use claviger_core::Fault;
use claviger_core::fault::CipherFault;
use claviger_core::key::cipher::Context;

/// Longest additional authenticated data, in bytes.
const AAD_BYTES: usize = 128;
/// Longest encryption context, in characters of JSON.
const CONTEXT_CHARS: usize = 8192;

/// The additional authenticated data of a request, or the encryption context of the API before; one of them or neither. What is
/// empty is as if it were absent.
#[derive(Debug)]
pub(super) enum Bound {
    Map(Vec<u8>),
    Nothing,
    Text(String),
}

impl Bound {
    pub(super) fn parse(
        aad: Option<String>,
        context: Option<BTreeMap<String, String>>,
    ) -> Result<Self, Fault> {
        let aad = aad.filter(|aad| !aad.is_empty());
        let context = context.filter(|context| !context.is_empty());
        match (aad, context) {
            (None, None) => Ok(Self::Nothing),
            (Some(aad), None) if aad.len() <= AAD_BYTES => Ok(Self::Text(aad)),
            (Some(_), None) => Err(Fault::value("additional_authenticated_data")),
            (None, Some(context)) => {
                // A map of texts with sorted keys is written in one way only.
                let canonical = serde_json::to_string(&context).expect("texts can be written as JSON");
                if canonical.chars().count() > CONTEXT_CHARS {
                    return Err(CipherFault::ContextInvalid.into());
                }
                Ok(Self::Map(canonical.into_bytes()))
            }
            (Some(_), Some(_)) => Err(CipherFault::ContextInvalid.into()),
        }
    }

    /// The same in the domain's words.
    pub(super) fn context(&self) -> Context<'_> {
        match self {
            Self::Map(canonical) => Context::map(canonical),
            Self::Nothing => Context::NONE,
            Self::Text(text) => Context::text(text.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Ask, World};

    #[test]
    fn the_same_must_be_presented() {
        let text = |aad: &str| json!({"additional_authenticated_data": aad});
        let map = |context: &Value| json!({"encryption_context": context});
        let ab = json!({"a": "1", "b": "2"});
        for (sealed, opened, expected) in [
            (json!({}), json!({}), "200"),
            (json!({}), text(""), "200"),
            (json!({}), map(&json!({})), "200"),
            (json!({}), json!({"additional_authenticated_data": null, "encryption_context": null}), "200"),
            (json!({}), text("a"), "400 KMS.2201"),
            (text("a"), text("a"), "200"),
            (text("a"), text("b"), "400 KMS.2201"),
            (text("a"), json!({}), "400 KMS.2201"),
            (map(&ab), json!({"encryption_context": {"b": "2", "a": "1"}}), "200"),
            (map(&ab), map(&json!({"a": "1"})), "400 KMS.2201"),
            (map(&json!({"a": 1})), map(&json!({"a": "1"})), "200"),
            (map(&ab), text(r#"{"a":"1","b":"2"}"#), "400 KMS.2201"),
        ] {
            let mut world = World::new();
            let shown = format!("{sealed} {opened}");
            let mut sealed = sealed;
            sealed["key_id"] = "{key}".into();
            sealed["plain_text"] = "x".into();
            world.send(&Ask::kms("encrypt-data", sealed).keep("blob", "/cipher_text"));
            let mut opened = opened;
            opened["cipher_text"] = "{blob}".into();
            assert_eq!(world.send(&Ask::kms("decrypt-data", opened)).outcome(), expected, "{shown}");
        }
    }

    #[test]
    fn limits_hold_at_the_limit_and_one_past_it() {
        let encrypt = |more: Value| {
            let mut body = json!({"key_id": "{key}", "plain_text": "x"});
            body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            Ask::kms("encrypt-data", body)
        };
        let long = |n: usize| json!({"encryption_context": {"k": "v".repeat(n)}});
        World::new().outcomes([
            (encrypt(json!({"additional_authenticated_data": "a".repeat(128)})), "200"),
            (encrypt(json!({"additional_authenticated_data": "a".repeat(129)})), "400 KMS.0308"),
            (encrypt(long(8192 - 8)), "200"),
            (encrypt(long(8192 - 7)), "400 KMS.0208"),
            (encrypt(json!({"encryption_context": "text"})), "400 KMS.0208"),
            (encrypt(json!({"encryption_context": {"a": {"b": "c"}}})), "400 KMS.0208"),
            (
                encrypt(json!({"additional_authenticated_data": "a", "encryption_context": {"a": "b"}})),
                "400 KMS.0208",
            ),
        ]);
    }
}
