//! `[rates]`: requests per second of one account, for all actions or for one.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use claviger_api::Rates;
use serde::de::{Error as _, MapAccess, Visitor};
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
}

impl Default for RatesTable {
    fn default() -> Self {
        Self { enabled: true, default: None, by_action: Vec::new() }
    }
}

impl RatesTable {
    /// Refuses names of actions that do not exist.
    pub(super) fn check(&self, name: &Path, text: &str) -> Result<()> {
        let known = dialects::action_names();
        for (action, _) in &self.by_action {
            let word = action.get_ref();
            if known.contains(word) {
                continue;
            }
            let message = match toml_file::suggestion(word, known.iter().map(String::as_str)) {
                Some(meant) => format!("unknown action `{word}`; did you mean `{meant}`?"),
                None => format!("unknown action `{word}`; names look like `kms.Encrypt`"),
            };
            return Err(toml_file::at(name, text, Some(action.span()), &message));
        }
        Ok(())
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
                        other => return Err(A::Error::unknown_field(other, &["enabled", "default"])),
                    }
                }
                Ok(table)
            }
        }

        from.deserialize_map(Table)
    }
}
