//! `claviger dev`: a server without configuration, with one account to begin with.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use claviger_api::{HttpLimits, Listener, Rates};
use claviger_core::audit;
use claviger_core::key::KeySpec;
use claviger_core::region::Regions;
use claviger_core::{Authority, Limits, UserId};

use crate::credentials::Credentials;
use crate::greeting::{Greeting, Secrets};
use crate::root_key::Source;
use crate::seed::{Seed, apply};
use crate::server::{AUDIT_FOLDER, Opened, Setup, Wrap, threads_default};
use crate::store::{Difference, EtcdArgs, Place};
use crate::telemetry::{FILTER_DEFAULT, LogFormat};
use crate::{dialects, files, telemetry};

/// The name of the credentials in a data folder.
pub const CREDENTIALS_FILE: &str = "credentials.json";
/// Credentials of an account that is being made; there from before its first record to after its last.
const BEGINNING_FILE: &str = "first-start.json";
/// The name of the root key in a data folder.
const ROOT_KEY_FILE: &str = "root.key";

/// What can be said on the command line.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to listen; port 0 lets the system choose one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7600")]
    pub listen: SocketAddr,
    /// The data folder: store, root key, audit and credentials.json.
    #[arg(long, value_name = "DIR", default_value = "./claviger-data")]
    pub data: PathBuf,
    /// Accounts, users, access keys and keys to have, as TOML; what is there already is left alone.
    #[arg(long, value_name = "FILE")]
    pub seed: Option<PathBuf>,
    /// Switch off the limits on requests per second.
    #[arg(long)]
    pub no_limits: bool,
    /// A store in etcd.
    #[command(flatten)]
    pub etcd: EtcdArgs,
}

/// Serves until a signal comes. `wrap` may put something around the store.
pub async fn run(args: Args, wrap: Wrap) -> Result<()> {
    telemetry::start_log(LogFormat::Text, FILTER_DEFAULT)?;
    let seed = args.seed.as_deref().map(Seed::read).transpose()?;
    let opened = setup(&args)?.open(wrap).await?;
    let (mut credentials, secrets) = prepare(&opened, &args.data, seed).await?;
    credentials.endpoint = endpoint(opened.address().context("no address")?);
    if secrets != Secrets::Lost {
        credentials.write(&args.data.join(CREDENTIALS_FILE))?;
        end_beginning(&args.data)?;
    }
    let file = std::path::absolute(args.data.join(CREDENTIALS_FILE))?;
    println!("{}", Greeting { credentials: &credentials, file: &file, secrets });
    opened.serve().await
}

fn setup(args: &Args) -> Result<Setup> {
    Ok(Setup {
        data: args.data.clone(),
        store: args.etcd.place().unwrap_or(Ok(Place::Embedded))?,
        difference: Difference::default(),
        root_key: Source::File(args.data.join(ROOT_KEY_FILE)),
        listeners: vec![Listener { address: args.listen, tls: None }],
        regions: Regions::single(KeySpec::Aes256),
        limits: Limits::default(),
        http: HttpLimits::default(),
        rates: Rates { off: args.no_limits, ..Rates::default() },
        audit: audit::Settings::new(args.data.join(AUDIT_FOLDER)),
        threads: threads_default(),
        dialects: dialects::Settings::default(),
    })
}

/// Sees to it that there is an account, and finds out how to sign for it.
async fn prepare(opened: &Opened, data: &Path, seed: Option<Seed>) -> Result<(Credentials, Secrets)> {
    let authority = &opened.authority;
    let region = authority.regions().first().id.to_string();
    if let Some(seed) = seed {
        return seeded(opened, seed, &region).await;
    }
    let (file, beginning) = (data.join(CREDENTIALS_FILE), data.join(BEGINNING_FILE));
    let accounts = authority.accounts(1).await.map_err(unreadable)?;
    if accounts.is_empty() && !beginning.exists() {
        Credentials::random(authority.entropy(), &region).write(&beginning)?;
    }
    if beginning.exists() {
        let credentials = Credentials::read(&beginning)?;
        apply(authority, Seed { accounts: vec![credentials.account()] }).await?;
        return Ok((credentials, Secrets::New));
    }
    if file.exists() {
        return Ok((Credentials::read(&file)?, Secrets::InFile));
    }
    match opened.place() {
        Place::Embedded => tracing::warn!(
            "{} is gone, and secrets cannot be shown again; declare an account with --seed, or begin with an empty --data",
            file.display()
        ),
        Place::Etcd(_) => tracing::warn!(
            "the account is another node's, and its secrets cannot be shown again; copy credentials.json out of that node's \
             data folder to {}",
            file.display()
        ),
    }
    let account = accounts.into_iter().next().context("the store has no account")?;
    let mut known = Credentials::random(authority.entropy(), &region);
    known.uin = account.id.0;
    known.app_id = account.app_id;
    known.domain_id = account.hex;
    known.project_id = account.projects.get(&authority.regions().first().id).copied().unwrap_or(account.hex);
    known.domain_name = account.name;
    known.user_id = root_hex(authority, known.uin).await?;
    Ok((known, Secrets::Lost))
}

async fn seeded(opened: &Opened, seed: Seed, region: &str) -> Result<(Credentials, Secrets)> {
    let authority = &opened.authority;
    let first = seed.accounts.first().context("the seed declares no [[account]]")?;
    let mut credentials = Credentials::of(first, first.domain_id, region);
    apply(authority, seed).await?;
    credentials.user_id = root_hex(authority, credentials.uin).await?;
    Ok((credentials, Secrets::InFile))
}

async fn root_hex(authority: &Authority, uin: u64) -> Result<claviger_core::HexId> {
    let root = authority.user(UserId(uin)).await.map_err(unreadable)?;
    Ok(root.context("the account's root user is missing")?.hex)
}

fn end_beginning(data: &Path) -> Result<()> {
    let beginning = data.join(BEGINNING_FILE);
    if beginning.exists() {
        std::fs::remove_file(&beginning).with_context(|| format!("cannot remove {}", beginning.display()))?;
        files::sync_folder(&beginning)?;
    }
    Ok(())
}

/// How a client on this machine reaches an address.
fn endpoint(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        let loopback = if address.is_ipv4() { "127.0.0.1" } else { "::1" };
        address.set_ip(loopback.parse().expect("both are addresses"));
    }
    format!("http://{address}")
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unreadable(fault: claviger_core::Fault) -> anyhow::Error {
    anyhow!("the store cannot be read ({fault:?}); the log above says why")
}
