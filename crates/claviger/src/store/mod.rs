//! Where the records are: in a file beside the server, which serves alone then, or in an etcd cluster under any number of nodes.

mod address;
mod agreed;
mod args;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use claviger_core::records::{self, Restoring, at};
use claviger_store::Engine;
use claviger_store_etcd::{EtcdEngine, Options};

pub use address::{Transport, check_endpoints, check_prefix};
pub use agreed::{Agreement, Difference};
pub use args::{EtcdArgs, StoreArgs};

/// What stands for the node's name where nobody named it and the machine has none.
const NAMELESS: &str = "claviger";

/// Where the records are.
#[derive(Clone, Debug)]
pub enum Place {
    /// In the data folder.
    Embedded,
    /// In an etcd cluster.
    Etcd(Box<Options>),
}

impl Place {
    /// In etcd, as these say. A node whose name is empty is named after its machine and its first address.
    pub fn etcd(options: Options) -> Self {
        Self::Etcd(Box::new(options))
    }
}

/// Opens a store in etcd, for a node that listens on `address`. It is none of the cluster's until it joins.
pub async fn open(options: &Options, address: SocketAddr) -> Result<Arc<dyn Engine>> {
    let mut options = options.clone();
    if options.node.is_empty() {
        options.node = node_name(address);
    }
    Ok(EtcdEngine::open(options).await?)
}

/// Opens a store in etcd to read all of it as of one moment, whoever uses it.
pub async fn inspect(options: &Options) -> Result<Arc<dyn Engine>> {
    Ok(EtcdEngine::inspect(options.clone()).await?)
}

/// Refuses a store that is being filled from a dump, or was left half filled.
pub async fn refuse_half(engine: &dyn Engine) -> Result<()> {
    let mark = engine.get(&at::restoring()).await.context("the store cannot be read")?.stored;
    let Some(mark) = mark else { return Ok(()) };
    let since = records::decode::<Restoring>(&mark.value).map(|mark| mark.since.timestamp().to_string());
    bail!(
        "a dump is being restored into this store since {}, and it is not whole; wait for `claviger restore`, or, if that \
         has died, remove what it left with `claviger restore --discard` and begin anew",
        since.unwrap_or_else(|_| "some time".into())
    )
}

/// What tells a node from others in `cluster status` and in logs: its machine and where it listens.
fn node_name(address: SocketAddr) -> String {
    let host = std::fs::read_to_string(Path::new("/proc/sys/kernel/hostname")).unwrap_or_default();
    let host = host.trim();
    let host = if host.is_empty() { NAMELESS } else { host };
    format!("{host}/{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_of_one_machine_have_names_of_their_own() {
        let name = |port| node_name(SocketAddr::from(([127, 0, 0, 1], port)));
        assert!(name(1).ends_with("/127.0.0.1:1") && !name(1).starts_with('/'), "{}", name(1));
        assert_ne!(name(1), name(2));
    }
}
