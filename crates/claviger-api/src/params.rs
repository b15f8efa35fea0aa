//! Reading parameters into an action's own struct, with faults that name the parameter instead of quoting a parser.
//!
//! A JSON body that fits is read in one pass. One that does not is read again as a tree through a deserializer whose error type
//! is a [`ParameterFault`]; that pass also takes what the wire allows and JSON does not, such as numbers written as texts.

mod node;
mod reader;

use std::borrow::Cow;

use claviger_core::Fault;
use claviger_core::fault::{ParameterFault, ParameterProblem};
use serde::de::DeserializeOwned;

use node::{Node, Tree};
use reader::Reader;

/// What a wire lets pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether a number may stand where a text is wanted.
    pub number_as_text: Lenience,
    /// Whether a text of digits may stand where a number is wanted, and `true` or `1` where a truth value is.
    pub text_as_number: Lenience,
}

/// Whether something is let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lenience {
    /// It is.
    Accepted,
    /// It is not.
    Refused,
}

/// Deepest nesting of parameters.
const DEPTH: usize = 16;

/// Reads a JSON body. An empty one is an empty object. Unknown members are up to the struct (`deny_unknown_fields`).
pub fn json<T: DeserializeOwned>(body: &[u8], style: Style) -> Result<T, Fault> {
    let body = if body.is_empty() { b"{}" } else { body };
    if let Ok(parsed) = serde_json::from_slice(body) {
        return Ok(parsed);
    }
    let syntax = || ParameterFault { name: Cow::Borrowed(""), problem: ParameterProblem::Syntax };
    let tree: serde_json::Value = serde_json::from_slice(body).map_err(|_| syntax())?;
    if !tree.is_object() {
        return Err(syntax().into());
    }
    let node = Node::from_json(tree, DEPTH).ok_or_else(syntax)?;
    Ok(T::deserialize(Reader { node, style })?)
}

/// Reads flattened parameters: `Tags.0.TagKey=k`, lists by number from 0, gaps closed. Every leaf is a text.
pub fn flattened<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, Fault> {
    let style = Style { number_as_text: Lenience::Refused, text_as_number: Lenience::Accepted };
    let mut root = Tree::default();
    for (name, value) in pairs {
        let placed = name.split('.').count() <= DEPTH && root.place(&mut name.split('.'), value);
        if !placed {
            let problem = ParameterProblem::Value;
            return Err(ParameterFault { name: Cow::Owned(name.clone()), problem }.into());
        }
    }
    Ok(T::deserialize(Reader { node: Node::Map(root.into_members()), style })?)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Ask {
        key_id: String,
        days: Option<u64>,
        on: Option<bool>,
        tags: Option<Vec<Label>>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Label {
        tag_key: String,
    }

    const STRICT: Style = Style { number_as_text: Lenience::Refused, text_as_number: Lenience::Accepted };
    const LOOSE: Style = Style { number_as_text: Lenience::Accepted, text_as_number: Lenience::Accepted };

    fn wrong(name: &str, problem: ParameterProblem) -> Result<Ask, Fault> {
        Err(Fault::Parameter(ParameterFault { name: Cow::Owned(name.into()), problem }))
    }

    fn ask(key_id: &str) -> Ask {
        Ask { key_id: key_id.into(), days: None, on: None, tags: None }
    }

    #[test]
    fn json_is_read_and_its_faults_are_named() {
        for (body, style, expected) in [
            (r#"{"KeyId":"a"}"#, STRICT, Ok(ask("a"))),
            (r#"{"KeyId":"a","Days":null}"#, STRICT, Ok(ask("a"))),
            (r#"{"KeyId":"a","Days":"7"}"#, STRICT, Ok(Ask { days: Some(7), ..ask("a") })),
            (r#"{"KeyId":"a","On":true}"#, STRICT, Ok(Ask { on: Some(true), ..ask("a") })),
            (r#"{"KeyId":5}"#, LOOSE, Ok(ask("5"))),
            (r#"{"KeyId":5}"#, STRICT, wrong("KeyId", ParameterProblem::Type("string"))),
            (r#"{"KeyId":"a","Days":-1}"#, STRICT, wrong("Days", ParameterProblem::Type("uint64"))),
            (r#"{"KeyId":"a","Days":"x"}"#, STRICT, wrong("Days", ParameterProblem::Type("uint64"))),
            (r#"{"Days":1}"#, STRICT, wrong("KeyId", ParameterProblem::Missing)),
            ("", STRICT, wrong("KeyId", ParameterProblem::Missing)),
            (r#"{"KeyId":null}"#, STRICT, wrong("KeyId", ParameterProblem::Missing)),
            (r#"{"KeyId":"a","Odd":1}"#, STRICT, wrong("Odd", ParameterProblem::Unknown)),
            (r#"{"KeyId":"a","Tags":{}}"#, STRICT, wrong("Tags", ParameterProblem::Type("array"))),
            (
                r#"{"KeyId":"a","Tags":[{"TagKey":"x"},{"TagKey":1}]}"#,
                STRICT,
                wrong("Tags.1.TagKey", ParameterProblem::Type("string")),
            ),
            ("[]", STRICT, wrong("", ParameterProblem::Syntax)),
            ("{", STRICT, wrong("", ParameterProblem::Syntax)),
        ] {
            assert_eq!(json::<Ask>(body.as_bytes(), style), expected, "{body}");
        }
        let deep = format!("{{\"KeyId\":{}{}}}", "[".repeat(100), "]".repeat(100));
        assert_eq!(json::<Ask>(deep.as_bytes(), STRICT), wrong("", ParameterProblem::Syntax));
    }

    #[test]
    fn flattened_parameters_are_read() {
        let pairs = |text: &str| -> Vec<(String, String)> {
            text.split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(k, v)| (k.into(), v.into()))
                .collect()
        };
        let tags = |keys: &[&str]| Some(keys.iter().map(|key| Label { tag_key: (*key).into() }).collect());
        for (text, expected) in [
            ("KeyId=a&Days=7&On=True", Ok(Ask { days: Some(7), on: Some(true), ..ask("a") })),
            ("KeyId=5", Ok(ask("5"))),
            ("KeyId=a&Tags.0.TagKey=x&Tags.2.TagKey=y", Ok(Ask { tags: tags(&["x", "y"]), ..ask("a") })),
            ("KeyId=a&Tags.10.TagKey=z&Tags.9.TagKey=y", Ok(Ask { tags: tags(&["y", "z"]), ..ask("a") })),
            ("KeyId=a&Days=seven", wrong("Days", ParameterProblem::Type("uint64"))),
            ("KeyId=a&Odd=1", wrong("Odd", ParameterProblem::Unknown)),
            ("KeyId=a&KeyId=b", wrong("KeyId", ParameterProblem::Value)),
            ("KeyId=a&KeyId.0=b", wrong("KeyId.0", ParameterProblem::Value)),
            ("KeyId=a&Tags..TagKey=b", wrong("Tags..TagKey", ParameterProblem::Value)),
            ("Days=7", wrong("KeyId", ParameterProblem::Missing)),
        ] {
            assert_eq!(flattened::<Ask>(&pairs(text)), expected, "{text}");
        }
    }
}
