//! `claviger restore`: a store out of a dump. It can be served only once the whole dump has been read and its trailer has shown that
//! it is whole.

mod fill;
mod folder;
mod reading;
mod shared;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use claviger_store::Engine;
use claviger_store_etcd::{EtcdEngine, Options};

use crate::progress::Progress;
use crate::store::{Place, StoreArgs};

/// What can be said on the command line.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The dump, or - for standard input.
    #[arg(long = "in", alias = "from", value_name = "FILE", required_unless_present = "discard")]
    pub input: Option<PathBuf>,
    /// Remove what a restore into etcd has left that did not come to its end, and nothing else.
    #[arg(long, conflicts_with = "input")]
    pub discard: bool,
    /// Which store; there must be none yet.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// How many records.
    pub records: u64,
    /// The fingerprint of the root key that they are sealed under.
    pub root: Option<String>,
}

/// Makes a store, or removes half of one.
pub async fn run(args: Args) -> Result<()> {
    let (place, data) = args.store.place()?;
    let Some(input) = args.input else { return discard(&place).await };
    let (restored, to) = if input == Path::new("-") {
        into(io::stdin().lock(), &place, &data, Progress::counting("bytes")).await?
    } else {
        let unreadable = || format!("cannot read {}", input.display());
        let file = File::open(&input).with_context(unreadable)?;
        let progress = Progress::of_bytes(file.metadata().with_context(unreadable)?.len());
        into(BufReader::with_capacity(1 << 20, file), &place, &data, progress).await?
    };
    let needs = restored.root.map(|root| format!("; it needs root key {root}")).unwrap_or_default();
    eprintln!("{} records in {to}{needs}", restored.records);
    Ok(())
}

/// Restores into a place; answers what, and where that is.
async fn into(
    input: impl BufRead,
    place: &Place,
    data: &Path,
    progress: Progress,
) -> Result<(Restored, String)> {
    match place {
        Place::Embedded => {
            let restored = folder::into_folder(input, data, progress).await?;
            Ok((restored, data.display().to_string()))
        }
        Place::Etcd(options) => {
            let restored = shared::into_shared(input, &open(options).await?, &progress).await?;
            Ok((restored, format!("etcd under {}", options.prefix)))
        }
    }
}

async fn discard(place: &Place) -> Result<()> {
    let Place::Etcd(options) = place else {
        bail!("a restore into a data folder leaves nothing that could be served; there is nothing to discard")
    };
    let progress = Progress::counting("records");
    let removed = shared::discard(&open(options).await?, &progress).await?;
    drop(progress);
    eprintln!("{removed} records removed; etcd under {} is empty", options.prefix);
    Ok(())
}

async fn open(options: &Options) -> Result<Arc<dyn Engine>> {
    let options = Options { node: "restore".into(), ..options.clone() };
    Ok(EtcdEngine::open(options).await?)
}
