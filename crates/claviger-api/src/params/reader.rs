//! A deserializer over a tree of parameters whose error is a [`ParameterFault`].

use std::borrow::Cow;
use std::fmt;

use claviger_core::Fault;
use claviger_core::fault::{ParameterFault, ParameterProblem};
use serde::de::value::SeqDeserializer;
use serde::de::{self, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};

use super::node::Node;
use super::{Lenience, Style};

/// What went wrong while reading, as serde builds it up from the inside.
#[derive(Debug)]
pub(super) struct Wrong(ParameterFault);

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
pub(super) struct Reader {
    pub(super) node: Node,
    pub(super) style: Style,
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
        visitor.visit_map(Members { rest: members.into_iter(), next: None, style })
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

/// The members of an object: what goes wrong inside one gets its name.
struct Members {
    rest: std::vec::IntoIter<(String, Node)>,
    next: Option<(String, Node)>,
    style: Style,
}

impl<'de> MapAccess<'de> for Members {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        self.next = self.rest.next();
        match &self.next {
            Some((name, _)) => seed.deserialize(name.clone().into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let (name, node) = self.next.take().ok_or(Wrong::new(ParameterProblem::Syntax))?;
        seed.deserialize(Reader { node, style: self.style }).map_err(|wrong| wrong.under(&name))
    }
}
