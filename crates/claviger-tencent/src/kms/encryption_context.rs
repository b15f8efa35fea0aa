//! `EncryptionContext`: a JSON object of texts, in a string. Two texts of the same object are the same context: what is bound to
//! the ciphertext is the object with sorted keys. Nothing, `""` and `{}` are alike.

use std::collections::BTreeMap;

use claviger_core::fault::{CipherFault, Fault};
use claviger_core::key::cipher::Context;

/// Longest context, in characters.
const CHARS: usize = 1024;

/// A context in the form that is bound.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct EncryptionContext(Vec<u8>);

impl EncryptionContext {
    /// Reads the parameter.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, Fault> {
        let text = text.unwrap_or_default();
        if text.is_empty() {
            return Ok(Self::default());
        }
        let invalid = || Fault::Cipher(CipherFault::ContextInvalid);
        if text.chars().count() > CHARS {
            return Err(invalid());
        }
        let map: BTreeMap<String, String> = serde_json::from_str(text).map_err(|_| invalid())?;
        if map.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self(serde_json::to_vec(&map).map_err(|_| invalid())?))
    }

    /// What the core binds.
    pub(super) fn bound(&self) -> Context<'_> {
        if self.0.is_empty() { Context::NONE } else { Context::map(&self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_objects_are_equal_contexts() {
        let parse = |text| EncryptionContext::parse(Some(text));
        assert_eq!(parse(r#"{"b":"2","a":"1"}"#), parse(r#" { "a" : "1", "b" : "2" } "#));
        assert_ne!(parse(r#"{"a":"1"}"#), parse(r#"{"a":"2"}"#));
        for empty in ["", "{}", " {} "] {
            assert_eq!(parse(empty), Ok(EncryptionContext::default()), "{empty}");
        }
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(CHARS));
        for bad in ["[]", "x", r#"{"a":1}"#, r#"{"a":{}}"#, "null", &long] {
            assert_eq!(parse(bad), Err(Fault::Cipher(CipherFault::ContextInvalid)), "{bad}");
        }
    }
}
