//! Data folders to measure on: seeded by `claviger dev`, then served by `claviger serve` with audit on and rates that
//! are checked but never reached.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::workload::Material;
use crate::caller::{Caller, text as text_of};
use crate::server::{Launch, free_address, text};
use crate::sign::Pair;

/// How many of very many keys are encrypted with: more than fit any small cache.
pub const SAMPLE: u32 = 4_000;
/// The most that one page of the key list holds.
const PAGE: u32 = 200;
const PROJECT_ID: &str = "bec00000000000000000000000000001";

/// Who signs everything.
pub fn pair() -> Pair {
    Pair { id: format!("AKID{}", "B".repeat(32)), secret: "S".repeat(32) }
}

/// What requests to that server are made of.
pub fn material(target: SocketAddr, keys: &[String]) -> Material {
    let Pair { id, secret } = pair();
    let (host, project_id) = (target.to_string(), PROJECT_ID.to_owned());
    Material { host, access_key: id, secret, project_id, keys: keys.to_vec(), round: 0 }
}

/// A seeded data folder.
pub struct Store {
    folder: PathBuf,
    data: PathBuf,
}

impl Store {
    /// An account with `named` keys and `bulk` more.
    pub fn prepare(folder: &Path, named: u32, bulk: u32) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let data = folder.join("data");
        let file = folder.join("seed.toml");
        std::fs::write(&file, seed(named, bulk))?;
        let (mut server, _) = Launch::dev(&data, &["--seed", text(&file)?])?.start()?;
        let status = server.stop()?;
        ensure!(status.success(), "the seeding server ended with {status}");
        Ok(Self { folder: folder.to_owned(), data })
    }

    /// `claviger serve` on it, on a free port.
    pub fn launch(&self) -> Result<Launch> {
        let address = free_address()?;
        let config = self.folder.join("claviger.toml");
        let data = text(&self.data)?;
        std::fs::write(&config, configuration(address, data, &format!("{data}/root.key")))?;
        Launch::serve(address, &self.data, &config)
    }

    /// Up to `count` key ids of the server on such a store, taken evenly from the whole list.
    pub fn some_keys(address: SocketAddr, count: u32) -> Result<Vec<String>> {
        let mut caller = Caller::connect(address, &pair())?;
        let first = caller.tencent("kms", "ListKeys", &json!({"Limit": 1}))?.done()?;
        let total = first.get("TotalCount").and_then(Value::as_u64).context("no TotalCount")?;
        let pages = u64::from(count.div_ceil(PAGE)).min(total.div_ceil(u64::from(PAGE)));
        let mut keys = Vec::new();
        for page in 0..pages {
            let body = json!({"Limit": PAGE, "Offset": page * (total / pages)});
            let listed = caller.tencent("kms", "ListKeys", &body)?.done()?;
            for key in listed.get("Keys").and_then(Value::as_array).context("no Keys")? {
                keys.push(text_of(key, "/KeyId")?);
            }
        }
        keys.sort();
        keys.dedup();
        ensure!(!keys.is_empty(), "the seeded account has no keys");
        Ok(keys)
    }
}

/// An account with `named` keys and `bulk` more.
pub fn seed(named: u32, bulk: u32) -> String {
    let Pair { id, secret } = pair();
    let mut toml = format!(
        "[[account]]\nuin = 300000000001\napp_id = 1400000001\ndomain_id = \"bec00000000000000000000000000002\"\n\
         domain_name = \"bench\"\nproject_id = \"{PROJECT_ID}\"\npassword = \"Bench-passw0rd\"\n\
         [[account.access_key]]\nid = \"{id}\"\nsecret = \"{secret}\"\nstatus = \"Active\"\n"
    );
    for number in 0..named {
        write!(
            toml,
            "[[account.key]]\nid = \"bec00000-0000-4000-8000-{number:012x}\"\nalias = \"bench-{number}\"\norigin = \"kms\"\n"
        )
        .expect("writing to a String cannot fail");
    }
    if bulk > 0 {
        write!(toml, "[account.bulk]\nkeys = {bulk}\n").expect("writing to a String cannot fail");
    }
    toml
}

/// What is served, where, and with which root key; with limits that are checked and never reached.
pub fn configuration(address: SocketAddr, data: &str, root_key: &str) -> String {
    format!(
        "[[listener]]\naddress = \"{address}\"\n\n[data]\nfolder = \"{data}\"\n\n[root_key]\nfile = \"{root_key}\"\n\n\
         [audit]\nfolder = \"{data}/audit\"\n\n[quota]\nkeys_per_region = 10000000\n\n\
         [rates]\nenabled = true\ndefault = 100000000\n\"kms.Encrypt\" = 100000000\n\
         \"kms.BindCloudResource\" = 100000000\n"
    )
}
