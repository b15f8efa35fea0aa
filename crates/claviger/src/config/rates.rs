//! `[rates]`: requests per second of one account, for all actions or for one.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use claviger_api::Rates;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::{dialects, toml_file};

/// `[rates]`: `enabled`, `default`, and names of actions such as `"kms.Encrypt"`.
#[derive(Debug, PartialEq)]
pub(super) struct RatesTable {
    enabled: bool,
    /// For actions that are not named; absent: the documented figure of each.
    default: Option<u32>,
    by_action: Vec<(Spanned<String>, u32)>,
    unknown: Vec<Spanned<String>>,
}

impl Default for RatesTable {
    fn default() -> Self {
        Self { enabled: true, default: None, by_action: Vec::new(), unknown: Vec::new() }
    }
}

impl RatesTable {
    /// Refuses unknown keys, and names of actions that do not exist.
    pub(super) fn check(&self, name: &Path, text: &str) -> Result<()> {
        let actions = dialects::action_names();
        let known = |word: &String| actions.contains(word);
        let stranger =
            self.by_action.iter().map(|(action, _)| action).find(|action| !known(action.get_ref()));
        let Some(stranger) = self.unknown.first().or(stranger) else { return Ok(()) };
        let word = stranger.get_ref();
        let (what, candidates) = if word.contains('.') {
            ("action", actions.iter().map(String::as_str).collect())
        } else {
            ("key", vec!["default", "enabled"])
        };
        let message = match toml_file::suggestion(word, candidates) {
            Some(meant) => format!("unknown {what} `{word}`; did you mean `{meant}`?"),
            None => format!("unknown {what} `{word}`; names of actions look like `kms.Encrypt`"),
        };
        Err(toml_file::at(name, text, Some(stranger.span()), &message))
    }

    pub(super) fn rates(&self) -> Rates {
        let mut overrides = HashMap::new();
        if let Some(rate) = self.default {
            overrides.extend(dialects::action_names().into_iter().map(|action| (action, rate)));
        }
        overrides.extend(self.by_action.iter().map(|(action, rate)| (action.get_ref().clone(), *rate)));
        Rates { off: !self.enabled, overrides }
    }
}

impl<'de> Deserialize<'de> for RatesTable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Table;

        impl<'de> Visitor<'de> for Table {
            type Value = RatesTable;

            fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                to.write_str("a table of rates")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RatesTable, A::Error> {
                let mut table = RatesTable::default();
                while let Some(key) = map.next_key::<Spanned<String>>()? {
                    match key.get_ref().as_str() {
                        "default" => table.default = Some(map.next_value()?),
                        "enabled" => table.enabled = map.next_value()?,
                        action if action.contains('.') => table.by_action.push((key, map.next_value()?)),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            table.unknown.push(key);
                        }
                    }
                }
                Ok(table)
            }
        }

        from.deserialize_map(Table)
    }
}
