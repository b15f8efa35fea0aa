//! `[[region]]`: our regions, and the clouds' names that they answer to.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Result, bail, ensure};
use claviger_core::RegionId;
use claviger_core::key::KeySpec;
use claviger_core::region::{Region, Regions};
use serde::Deserialize;

/// `[[region]]`
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegionTable {
    name: String,
    #[serde(default)]
    symmetric: Symmetric,
    #[serde(default)]
    tencent: Vec<String>,
    #[serde(default)]
    huawei: Vec<String>,
}

/// What a symmetric key is unless the caller says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
enum Symmetric {
    #[default]
    #[serde(rename = "aes-256")]
    Aes256,
    #[serde(rename = "sm4")]
    Sm4,
}

/// The regions; a single one that answers to every name where none is configured.
pub(super) fn regions(tables: &[RegionTable]) -> Result<Regions> {
    let mut seen = HashSet::new();
    let mut regions = Vec::new();
    for table in tables {
        ensure!(seen.insert(("", table.name.as_str())), "`{}` is there twice", table.name);
        for (dialect, names) in [("tencent", &table.tencent), ("huawei", &table.huawei)] {
            for name in names {
                ensure!(seen.insert((dialect, name.as_str())), "two regions answer to {dialect}'s `{name}`");
            }
        }
        regions.push(region(table)?);
    }
    Ok(Regions::new(regions).unwrap_or_else(|| Regions::single(KeySpec::Aes256)))
}

fn region(table: &RegionTable) -> Result<Region> {
    let Some(id) = RegionId::parse(&table.name) else {
        bail!("`{}` is not a name: 1 to {} of a-z, 0-9 and -", table.name, RegionId::MAX_LEN);
    };
    let spec = match table.symmetric {
        Symmetric::Aes256 => KeySpec::Aes256,
        Symmetric::Sm4 => KeySpec::Sm4,
    };
    let mut names = BTreeMap::new();
    for (dialect, answers_to) in [("tencent", &table.tencent), ("huawei", &table.huawei)] {
        if !answers_to.is_empty() {
            names.insert(dialect.to_owned(), answers_to.clone());
        }
    }
    Ok(Region { id, spec, names })
}
