//! `claviger serve`: the production start.

use std::path::PathBuf;

use anyhow::{Result, anyhow, ensure};

use crate::config::Config;
use crate::seed::{Seed, apply};
use crate::store::Difference;

/// What can be said on the command line.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration; `claviger config example` prints one.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Accounts, users, access keys and keys to have, as TOML; what is there already is left alone.
    #[arg(long, value_name = "FILE")]
    pub seed: Option<PathBuf>,
    /// Where this configuration differs from what the nodes of the cluster agreed on, change what they agreed on.
    #[arg(long)]
    pub accept_settings: bool,
}

/// Serves until a signal comes.
pub async fn run(args: Args) -> Result<()> {
    let config = Config::read(&args.config)?;
    config.start_log()?;
    let seed = args.seed.as_deref().map(Seed::read).transpose()?;
    let mut setup = config.setup(&args.config)?;
    if args.accept_settings {
        setup.difference = Difference::Accept;
    }
    let opened = setup.open(std::convert::identity).await?;
    if let Some(seed) = seed {
        apply(&opened.authority, seed).await?;
    }
    let accounts = opened.authority.accounts(1).await;
    let accounts =
        accounts.map_err(|fault| anyhow!("the store cannot be read ({fault:?}); the log above says why"))?;
    ensure!(
        !accounts.is_empty(),
        "the store has no account yet, so nobody could sign a request; declare one in a file and start once with \
         `claviger serve --config {} --seed FILE`, or restore a dump",
        args.config.display()
    );
    opened.serve().await
}
