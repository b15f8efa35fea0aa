//! A server from its data folder to its end: opened in an order that changes nothing before it is sure to be the only one,
//! served by one thread per core, stopped without losing what is under way.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use claviger_api::{App, HttpLimits, Listener, Phase, Rates, Shell, bind};
use claviger_core::audit::{self, Audit};
use claviger_core::records::at;
use claviger_core::region::Regions;
use claviger_core::{Authority, Clock, Entropy, Limits, OpenError};
use claviger_store::{EmbeddedEngine, EmbeddedOptions, Engine};
use rustls::ServerConfig;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::operations::Watched;
use crate::root_key::{Source, StoreAge};
use crate::store::{self, Agreement, Difference, Place};
use crate::threads::{self, Stop};
use crate::{dialects, files, telemetry, upkeep};

/// The name of the store in a data folder.
pub const STORE_FILE: &str = "claviger.redb";
/// The name of the audit's folder in a data folder.
pub const AUDIT_FOLDER: &str = "audit";

/// How long telling the other nodes that this one has ended may take.
const LAST_WORD: Duration = Duration::from_secs(5);

/// What to put around the store, for tests.
pub type Wrap = fn(Arc<dyn Engine>) -> Arc<dyn Engine>;

/// What to serve, and how.
pub struct Setup {
    /// The data folder.
    pub data: PathBuf,
    /// Where the records are.
    pub store: Place,
    /// What to do where other nodes have other settings.
    pub difference: Difference,
    /// Where the root key comes from.
    pub root_key: Source,
    /// Where to listen.
    pub listeners: Vec<Listener>,
    /// Our regions.
    pub regions: Regions,
    /// How much of each thing there may be.
    pub limits: Limits,
    /// The limits of HTTP.
    pub http: HttpLimits,
    /// The limits on requests per second.
    pub rates: Rates,
    /// The audit.
    pub audit: audit::Settings,
    /// Threads that serve.
    pub threads: usize,
    /// What the dialects are told.
    pub dialects: dialects::Settings,
}

/// A server whose store is open and whose addresses are bound, before its first request.
pub struct Opened {
    /// The authority.
    pub authority: Arc<Authority>,
    audit: Arc<Audit>,
    sockets: Vec<Sockets>,
    setup: Setup,
}

/// One address, with a listener for every thread.
struct Sockets {
    address: SocketAddr,
    listeners: Vec<TcpListener>,
    tls: Option<Arc<ServerConfig>>,
}

/// One thread per core that this process may use.
pub fn threads_default() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Opens the store in a data folder, making both where they are missing.
pub fn open_store(data: &Path) -> Result<Arc<dyn Engine>> {
    files::make_folder(data)?;
    let path = data.join(STORE_FILE);
    let opened = EmbeddedEngine::open(&path, EmbeddedOptions::default());
    let engine = opened.map_err(|error| store_refused(&error, &path))?;
    Ok(Arc::new(engine))
}

/// Why a store cannot be opened, and what to do.
pub fn store_refused(error: &claviger_store::StoreError, path: &Path) -> anyhow::Error {
    match error {
        claviger_store::StoreError::Busy(_) => {
            anyhow!(
                "{} is in use by another claviger; stop that one, or use another data folder",
                path.display()
            )
        }
        error => anyhow!("the store cannot be opened: {error}"),
    }
}

impl Setup {
    /// Opens the store, binds the addresses, opens the audit and the authority.
    pub async fn open(self, wrap: Wrap) -> Result<Opened> {
        let entropy = Entropy::system();
        let (engine, sockets) = match &self.store {
            Place::Embedded => {
                let engine = open_store(&self.data)?;
                (engine, self.bind()?)
            }
            Place::Etcd(options) => {
                // The address first: it is part of the node's name.
                let sockets = self.bind()?;
                files::make_folder(&self.data)?;
                let address = sockets.first().map(|sockets| sockets.address).context("no address")?;
                (store::open(options, address).await?, sockets)
            }
        };
        let engine = wrap(engine);
        let age = self.age(&*engine).await?;
        let agreement = match self.store {
            Place::Embedded => None,
            Place::Etcd(_) => Some(Agreement::of(&self.regions, self.limits, self.dialects)),
        };
        if let Some(agreement) = &agreement {
            agreement.check(&*engine, self.difference).await?;
        }
        let audit = Arc::new(Audit::open(self.audit.clone())?);
        let root = self.root_key.load(&self.data, age, &entropy)?;
        let (regions, limits) = (self.regions.clone(), self.limits);
        let opened = Authority::open(engine, root, regions, limits, Clock::system(), entropy).await;
        let authority = opened.map_err(|error| self.explain(error))?;
        // Only now is it sure that this is the right root key: before, nothing is written.
        if let Some(agreement) = agreement {
            agreement.reach(authority.engine(), self.difference).await?;
        }
        let completed = authority.complete_projects().await;
        completed
            .map_err(|fault| anyhow!("giving accounts their projects failed ({fault:?}); see the log"))?;
        Ok(Opened { authority: Arc::new(authority), audit, sockets, setup: self })
    }

    fn bind(&self) -> Result<Vec<Sockets>> {
        self.listeners.iter().map(|listener| bind_all(listener, self.threads)).collect()
    }

    /// Whether there is a root key already; half a store is refused.
    async fn age(&self, engine: &dyn Engine) -> Result<StoreAge> {
        store::refuse_half(engine).await?;
        let known = engine.get(&at::meta()).await.context("the store cannot be read")?.stored.is_some();
        Ok(match (known, &self.store) {
            (false, _) => StoreAge::New,
            (true, Place::Embedded) => StoreAge::Old,
            (true, Place::Etcd(_)) => StoreAge::Shared,
        })
    }

    fn explain(&self, error: OpenError) -> anyhow::Error {
        match (&self.store, &error) {
            (Place::Etcd(_), OpenError::OtherRoot { .. }) => {
                anyhow!("{error}. All nodes of a cluster share one root key: copy it from another node")
            }
            (_, OpenError::Restoring) => anyhow!("{error}; wait for `claviger restore`"),
            _ => error.into(),
        }
    }
}

fn bind_all(listener: &Listener, threads: usize) -> Result<Sockets> {
    let Listener { address, tls } = listener;
    let listeners = bind(*address, threads)
        .with_context(|| format!("cannot listen on {address}; is another program using it?"))?;
    let Some(first) = listeners.first() else { bail!("at least one thread must serve") };
    Ok(Sockets { address: first.local_addr()?, listeners, tls: tls.clone() })
}

impl Opened {
    /// The address of the first listener; with a port that the system chose, if it was asked to.
    pub fn address(&self) -> Option<SocketAddr> {
        self.sockets.first().map(|sockets| sockets.address)
    }

    /// Where the records are.
    pub const fn place(&self) -> &Place {
        &self.setup.store
    }

    /// Serves until a signal says to stop, then ends what is under way and saves what is only in memory.
    pub async fn serve(self) -> Result<()> {
        let metrics = telemetry::start_metrics()?;
        let Self { authority, audit, sockets, setup } = self;
        let spoken = dialects::all(setup.dialects);
        let app = Arc::new(App::new(Arc::clone(&authority), Arc::clone(&audit), spoken, &setup.rates));
        let (open, ready) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(true)));
        let (tell, phase) = watch::channel(Phase::Serving);
        let watched = Watched {
            authority: Arc::clone(&authority),
            audit: Arc::clone(&audit),
            app: Arc::clone(&app),
            open: Arc::clone(&open),
            ready,
            phase: phase.clone(),
            metrics,
        };
        watched.probe().await;
        let operations = watched.clone().operations();
        let shell = Shell { app, limits: setup.http, operations, open, sources: Arc::default(), phase };
        let stop = Stop::on_signals()?;
        let engine = authority.engine();
        engine.join().await.context("this node cannot take its place among the others")?;
        for Sockets { address, tls, .. } in &sockets {
            let scheme = if tls.is_some() { "https" } else { "http" };
            tracing::info!("listening on {scheme}://{address}");
        }
        let mut work = upkeep::start(&watched);
        let served = threads::serve(&shell, deal(sockets, setup.threads), &tell, stop).await;
        work.shutdown().await;
        upkeep::save(&authority, &audit).await;
        // Last: until now the other nodes had to wait for this one, since it might have served.
        match timeout(LAST_WORD, engine.leave()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the other nodes could not be told; they find out"),
            Err(_) => tracing::warn!("the other nodes could not be told in time; they find out"),
        }
        served?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// What each thread listens on.
fn deal(sockets: Vec<Sockets>, threads: usize) -> Vec<threads::Share> {
    let mut shares: Vec<threads::Share> = (0..threads).map(|_| Vec::new()).collect();
    for Sockets { listeners, tls, .. } in sockets {
        for (share, listener) in shares.iter_mut().zip(listeners) {
            share.push((listener, tls.clone()));
        }
    }
    shares
}
