//! Which store a command is about, as the command line says.

use std::path::PathBuf;

use anyhow::{Result, anyhow, ensure};
use claviger_store_etcd::Options;

use super::{Place, Transport, check_endpoints, check_prefix};
use crate::config::Config;

/// The data folder unless one is named.
const DATA: &str = "./claviger-data";

/// A store in etcd without TLS; for more there is the configuration.
#[derive(Clone, Debug, clap::Args)]
pub struct EtcdArgs {
    /// Keep the records in the etcd cluster with these client URLs, shared with other nodes. Each node needs a data folder of
    /// its own with the first one's root.key (and, for `dev`, credentials.json).
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    pub etcd: Vec<String>,
    /// What the keys in etcd begin with.
    #[arg(long, alias = "prefix", value_name = "PREFIX", requires = "etcd", default_value = Options::PREFIX)]
    pub etcd_prefix: String,
}

impl EtcdArgs {
    /// The place that they name, if they do.
    pub fn place(&self) -> Option<Result<Place>> {
        (!self.etcd.is_empty()).then(|| self.options().map(Place::etcd))
    }

    fn options(&self) -> Result<Options> {
        let transport = check_endpoints(&self.etcd).map_err(|what| anyhow!("--etcd: {what}"))?;
        ensure!(
            transport != Transport::Tls,
            "--etcd: https:// needs certificates; write a configuration with a [store] table and use --config"
        );
        check_prefix(&self.etcd_prefix).map_err(|what| anyhow!("--etcd-prefix: {what}"))?;
        let (node, release) = (String::new(), env!("CARGO_PKG_VERSION").to_owned());
        let options = Options::new(self.etcd.clone(), node, release);
        Ok(Options { prefix: self.etcd_prefix.clone(), ..options })
    }
}

/// Any store.
#[derive(Clone, Debug, clap::Args)]
pub struct StoreArgs {
    /// The configuration of `claviger serve`, which says where the store is.
    #[arg(long, value_name = "FILE", conflicts_with = "etcd")]
    pub config: Option<PathBuf>,
    /// The data folder of a store that is not in etcd (default: ./claviger-data).
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "etcd"])]
    pub data: Option<PathBuf>,
    /// A store in etcd.
    #[command(flatten)]
    pub etcd: EtcdArgs,
}

impl StoreArgs {
    /// The place, and the data folder that goes with it.
    pub fn place(&self) -> Result<(Place, PathBuf)> {
        if let Some(file) = &self.config {
            let config = Config::read(file)?;
            return Ok((config.place(file)?, config.data(file)));
        }
        let place = self.etcd.place().unwrap_or(Ok(Place::Embedded))?;
        Ok((place, self.data.clone().unwrap_or_else(|| DATA.into())))
    }
}
