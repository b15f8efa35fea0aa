//! JSON without repeated members: of two members of one name, readers differ about which counts.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// What a policy document is made of.
#[derive(Debug, PartialEq)]
pub(super) enum Json {
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
    /// A number, a truth value or null: none has a place in a policy.
    Scalar,
    Text(String),
}

impl Json {
    /// A text as a list of one, or a list of texts.
    pub(super) fn texts(self) -> Option<Vec<String>> {
        match self {
            Self::Text(text) => Some(vec![text]),
            Self::List(items) => items
                .into_iter()
                .map(|item| match item {
                    Self::Text(text) => Some(text),
                    Self::List(_) | Self::Map(_) | Self::Scalar => None,
                })
                .collect(),
            Self::Map(_) | Self::Scalar => None,
        }
    }
}

/// Reads a document; `None` if it is no JSON, is nested too deep, or repeats a member.
pub(super) fn read(document: &str) -> Option<Json> {
    serde_json::from_str(document).ok()
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Scalar)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Scalar)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Scalar)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Scalar)
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Scalar)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        while let Some((name, value)) = from.next_entry::<String, Json>()? {
            if members.iter().any(|(have, _)| *have == name) {
                return Err(A::Error::custom("a member is repeated"));
            }
            members.push((name, value));
        }
        Ok(Json::Map(members))
    }
}
