//! The configuration of `claviger serve`: a TOML file, parsed into what cannot be wrong.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use claviger_core::{Limits, audit};
use serde::Deserialize;

use crate::root_key::Source;
use crate::server::{AUDIT_FOLDER, Setup, threads_default};
use crate::store::{Difference, Place};
use crate::{dialects, telemetry, toml_file};

mod rates;
mod region;
mod store;
mod tables;
#[cfg(test)]
mod tests;

use rates::RatesTable;
use region::RegionTable;
use store::StoreTable;
use tables::{
    AuditTable, DataTable, LimitsTable, ListenerTable, LogTable, QuotaTable, TagsTable, TencentTable,
};

/// A commented file with every key; what it sets are the defaults.
pub const EXAMPLE: &str = include_str!("example.toml");

/// A configuration file.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    listener: Vec<ListenerTable>,
    data: DataTable,
    #[serde(default)]
    store: StoreTable,
    root_key: RootKeyTable,
    #[serde(default)]
    region: Vec<RegionTable>,
    #[serde(default)]
    quota: QuotaTable,
    #[serde(default)]
    rates: RatesTable,
    #[serde(default)]
    audit: AuditTable,
    #[serde(default)]
    limits: LimitsTable,
    #[serde(default)]
    tags: TagsTable,
    #[serde(default)]
    log: LogTable,
    #[serde(default)]
    tencent: TencentTable,
}

/// Where the root key comes from.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(try_from = "tables::RootKeyFields")]
struct RootKeyTable(Source);

impl Config {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(path, &toml_file::read(path)?)
    }

    /// Parses `text`, which came from the file `name`.
    pub fn parse(name: &Path, text: &str) -> Result<Self> {
        let config: Self = toml_file::parse(name, text)?;
        ensure!(!config.listener.is_empty(), "{}: at least one [[listener]] is needed", name.display());
        config.rates.check(name, text)?;
        telemetry::parse_filter(&config.log.filter)
            .with_context(|| format!("{}: [log] filter", name.display()))?;
        region::regions(&config.region).with_context(|| format!("{}: [[region]]", name.display()))?;
        Ok(config)
    }

    /// Starts the log as configured.
    pub fn start_log(&self) -> Result<()> {
        telemetry::start_log(self.log.format, &self.log.filter)
    }

    /// Where the records are. Relative paths are relative to the folder of the configuration file.
    pub fn place(&self, file: &Path) -> Result<Place> {
        self.store.place(file.parent().unwrap_or(Path::new("")))
    }

    /// The data folder.
    pub fn data(&self, file: &Path) -> PathBuf {
        file.parent().unwrap_or(Path::new("")).join(&self.data.folder)
    }

    /// What to serve. Relative paths are relative to the folder of the configuration file.
    pub fn setup(&self, file: &Path) -> Result<Setup> {
        let base = file.parent().unwrap_or(Path::new(""));
        let at = |path: &Path| base.join(path);
        let data = self.data(file);
        let root_key = match &self.root_key.0 {
            Source::File(path) => Source::File(at(path)),
            Source::PassphraseFile(path) => Source::PassphraseFile(at(path)),
        };
        let listeners =
            self.listener.iter().map(|listener| listener.listener(base)).collect::<Result<_>>()?;
        let mut audit = audit::Settings::new(match &self.audit.folder {
            Some(folder) => at(folder),
            None => data.join(AUDIT_FOLDER),
        });
        audit.segment_bytes = self.audit.segment_bytes.get();
        let limits = Limits {
            keys_per_ring: self.quota.keys_per_region,
            tags: self.tags.profile.into(),
            ..Limits::default()
        };
        Ok(Setup {
            data,
            store: self.place(file)?,
            difference: Difference::default(),
            root_key,
            listeners,
            regions: region::regions(&self.region)?,
            limits,
            http: self.limits.http(),
            rates: self.rates.rates(),
            audit,
            threads: self.limits.threads.map_or_else(threads_default, NonZeroUsize::get),
            dialects: dialects::Settings { strict_scope: self.tencent.strict_scope },
        })
    }
}
