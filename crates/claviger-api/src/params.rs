//! Reading parameters into an action's own struct, with faults that name the parameter instead of quoting a parser.
//!
//! A JSON body that fits is read in one pass. One that does not is read again as a tree through a deserializer whose error type
//! is a [`ParameterFault`]; that pass also takes what the wire allows and JSON does not, such as numbers written as texts.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use claviger_core::Fault;
use claviger_core::fault::{ParameterFault, ParameterProblem};
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, IntoDeserializer, Visitor};

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

/// A parameter, whatever it was written in.
#[derive(Clone, Debug)]
enum Node {
    Bool(bool),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    Null,
    Number(serde_json::Number),
    Text(String),
}

impl Node {
    fn from_json(value: serde_json::Value, depth: usize) -> Option<Self> {
        use serde_json::Value;
        let deeper = depth.checked_sub(1)?;
        Some(match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(value) => Self::Number(value),
            Value::String(value) => Self::Text(value),
            Value::Array(values) => Self::List(
                values.into_iter().map(|value| Self::from_json(value, deeper)).collect::<Option<_>>()?,
            ),
            Value::Object(members) => Self::Map(
                members
                    .into_iter()
                    // A null is an absent parameter on every wire.
                    .filter(|(_, value)| !value.is_null())
                    .map(|(name, value)| Some((name, Self::from_json(value, deeper)?)))
                    .collect::<Option<_>>()?,
            ),
        })
    }
}

/// Flattened parameters on their way to a [`Node`].
#[derive(Default)]
struct Tree {
    leaf: Option<String>,
    members: BTreeMap<String, Tree>,
}

impl Tree {
    /// Places a value; says whether its name fits the names before.
    fn place<'a>(&mut self, path: &mut impl Iterator<Item = &'a str>, value: &str) -> bool {
        match path.next() {
            None => {
                let fits = self.members.is_empty() && self.leaf.is_none();
                self.leaf = Some(value.to_owned());
                fits
            }
            Some("") => false,
            Some(name) => {
                self.leaf.is_none() && self.members.entry(name.to_owned()).or_default().place(path, value)
            }
        }
    }

    fn into_members(self) -> Vec<(String, Node)> {
        self.members.into_iter().map(|(name, tree)| (name, tree.into_node())).collect()
    }

    fn into_node(self) -> Node {
        if let Some(leaf) = self.leaf {
            return Node::Text(leaf);
        }
        let numbers: Option<BTreeSet<u32>> = self.members.keys().map(|name| name.parse().ok()).collect();
        let Some(numbers) = numbers else { return Node::Map(self.into_members()) };
        let mut members = self.members;
        Node::List(
            numbers
                .iter()
                .filter_map(|number| members.remove(&number.to_string()))
                .map(Tree::into_node)
                .collect(),
        )
    }
}

/// What went wrong while reading, as serde builds it up from the inside.
#[derive(Debug)]
struct Wrong(ParameterFault);

impl Wrong {
    const fn new(problem: ParameterProblem) -> Self {
        Self(ParameterFault { name: Cow::Borrowed(""), problem })
    }

    fn under(mut self, name: &str) -> Self {
        self.0.name = if self.0.name.is_empty() {
            Cow::Owned(name.to_owned())
        } else {
            Cow::Owned(format!("{name}.{}", self.0.name))
        };
        self
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Wrong {}

impl From<Wrong> for Fault {
    fn from(wrong: Wrong) -> Self {
        Self::Parameter(wrong.0)
    }
}

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::new(ParameterProblem::Value)
    }

    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self::new(ParameterProblem::Type("object"))
    }

    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self::new(ParameterProblem::Value)
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::new(ParameterProblem::Value)
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::new(ParameterProblem::Unknown).under(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(ParameterProblem::Missing).under(field)
    }
}

/// Hands a node to serde.
struct Reader {
    node: Node,
    style: Style,
}

/// Says which type was wanted.
fn wanted<T>(read: Option<T>, name: &'static str) -> Result<T, Wrong> {
    read.ok_or(Wrong::new(ParameterProblem::Type(name)))
}

impl Reader {
    fn text(self) -> Option<String> {
        match self.node {
            Node::Text(text) => Some(text),
            Node::Number(number) if self.style.number_as_text == Lenience::Accepted => {
                Some(number.to_string())
            }
            Node::Bool(value) if self.style.number_as_text == Lenience::Accepted => Some(value.to_string()),
            _ => None,
        }
    }

    fn signed(&self) -> Option<i64> {
        match &self.node {
            Node::Number(number) => number.as_i64(),
            Node::Text(text) if self.style.text_as_number == Lenience::Accepted => text.parse().ok(),
            _ => None,
        }
    }

    fn unsigned(&self) -> Option<u64> {
        match &self.node {
            Node::Number(number) => number.as_u64(),
            Node::Text(text) if self.style.text_as_number == Lenience::Accepted => text.parse().ok(),
            _ => None,
        }
    }

    fn truth(&self) -> Option<bool> {
        match &self.node {
            Node::Bool(value) => Some(*value),
            Node::Text(text) if self.style.text_as_number == Lenience::Accepted => {
                match text.to_ascii_lowercase().as_str() {
                    "true" | "1" => Some(true),
                    "false" | "0" => Some(false),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $read:ident $name:literal;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            visitor.$visit(wanted(self.$read(), $name)?)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Reader {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.node {
            Node::Null => visitor.visit_unit(),
            Node::Bool(value) => visitor.visit_bool(value),
            Node::Text(text) => visitor.visit_string(text),
            Node::Number(ref number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), _, _) => visitor.visit_u64(number),
                (None, Some(number), _) => visitor.visit_i64(number),
                (None, None, number) => visitor.visit_f64(number.unwrap_or_default()),
            },
            Node::List(_) => self.deserialize_seq(visitor),
            Node::Map(_) => self.deserialize_map(visitor),
        }
    }

    numbers! {
        deserialize_bool visit_bool truth "bool";
        deserialize_i8 visit_i64 signed "int64";
        deserialize_i16 visit_i64 signed "int64";
        deserialize_i32 visit_i64 signed "int64";
        deserialize_i64 visit_i64 signed "int64";
        deserialize_u8 visit_u64 unsigned "uint64";
        deserialize_u16 visit_u64 unsigned "uint64";
        deserialize_u32 visit_u64 unsigned "uint64";
        deserialize_u64 visit_u64 unsigned "uint64";
        deserialize_str visit_string text "string";
        deserialize_string visit_string text "string";
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.node {
            Node::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let Self { node: Node::List(nodes), style } = self else { return wanted(None, "array") };
        let mut at = 0_usize;
        let readers = nodes.into_iter().map(|node| Reader { node, style });
        let mut items = SeqDeserializer::new(readers.inspect(|_| at += 1));
        let read = visitor.visit_seq(&mut items);
        drop(items);
        read.map_err(|wrong: Wrong| wrong.under(&at.saturating_sub(1).to_string()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let Self { node: Node::Map(members), style } = self else { return wanted(None, "object") };
        let members = members.into_iter().map(|(name, node)| (name.clone(), Named { name, node, style }));
        visitor.visit_map(MapDeserializer::new(members))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let text = wanted(self.text(), "string")?;
        visitor.visit_enum(text.into_deserializer())
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

impl IntoDeserializer<'_, Wrong> for Reader {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A member of an object: reading it adds its name to what goes wrong inside.
struct Named {
    name: String,
    node: Node,
    style: Style,
}

impl IntoDeserializer<'_, Wrong> for Named {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! named {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            let Self { name, node, style } = self;
            Reader { node, style }.$method(visitor).map_err(|wrong| wrong.under(&name))
        })*
    };
}

impl<'de> de::Deserializer<'de> for Named {
    type Error = Wrong;

    named! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_str deserialize_string deserialize_option deserialize_seq
        deserialize_map deserialize_ignored_any
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        kind: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let Self { name, node, style } = self;
        Reader { node, style }.deserialize_enum(kind, variants, visitor).map_err(|wrong| wrong.under(&name))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
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
