//! `claviger dump`: a copy of a whole store, still sealed, for any engine to restore.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_core::Clock;
use claviger_core::records::{self, Meta, at};
use claviger_store::{Engine, Scan};
use serde::Serialize;

use crate::dump_format::{Chain, FORMAT, Header, Line, VERSION};
use crate::files;
use crate::progress::Progress;
use crate::server::{STORE_FILE, open_store};
use crate::store::{self, Place, StoreArgs};

/// Records read at a time.
const STEP: usize = 1000;
/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 256 << 10;

/// What can be said on the command line.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which store. One in a data folder must not be in use; one in etcd may be.
    #[command(flatten)]
    pub store: StoreArgs,
    /// The file to make, or - for standard output.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Dumps a store.
pub async fn run(args: Args) -> Result<()> {
    let engine = match args.store.place()? {
        (Place::Embedded, data) => {
            let store = data.join(STORE_FILE);
            ensure!(store.exists(), "there is no store at {}", store.display());
            open_store(&data)?
        }
        (Place::Etcd(options), _) => store::inspect(&options).await?,
    };
    let progress = Progress::counting("records");
    if args.out == Path::new("-") {
        write(&*engine, BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock()), &progress).await?;
        return Ok(());
    }
    let records = to_file(&*engine, &args.out, &progress).await?;
    drop(progress);
    eprintln!("{records} records in {}; they are still sealed: keep the root key too", args.out.display());
    Ok(())
}

/// Dumps to a new file, which has its name once it is whole.
async fn to_file(engine: &dyn Engine, out: &Path, progress: &Progress) -> Result<u64> {
    ensure!(!out.exists(), "{} is there already; it is left as it is", out.display());
    let new = files::beside(out);
    let file = BufWriter::with_capacity(BUFFER_BYTES, files::begin(&new)?);
    let written = match write(engine, file, progress).await {
        Ok((records, file)) => finish(file, &new, out).map(|()| records),
        Err(error) => Err(error),
    };
    if written.is_err() {
        // Half a dump is of no use to anybody; the error that made it so is what to say.
        let _ = std::fs::remove_file(&new);
    }
    written
}

fn finish(file: BufWriter<File>, new: &Path, out: &Path) -> Result<()> {
    let synced = file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| file.sync_all());
    synced.with_context(|| format!("cannot write {}", new.display()))?;
    std::fs::rename(new, out).with_context(|| format!("cannot create {}", out.display()))?;
    files::sync_folder(out)
}

/// Writes the dump of an engine, all of one moment; answers the number of records, and hands `out` back, flushed.
///
/// # Errors
/// A store that is half a copy itself, one that changes meanwhile (an engine that shows one moment has none of that), or a failure.
pub async fn write<W: Write>(engine: &dyn Engine, out: W, progress: &Progress) -> Result<(u64, W)> {
    let mut lines = Lines { out, chain: Chain::default() };
    store::refuse_half(engine).await?;
    lines.put(&header(engine).await?)?;
    let (mut records, mut after): (u64, Option<Vec<u8>>) = (0, None);
    let mut moment = None;
    loop {
        let mut scan = Scan::forward(b"", STEP);
        scan.after = after.as_deref();
        let page = engine.scan(scan).await.context("the store cannot be read")?;
        ensure!(
            *moment.get_or_insert(page.at) == page.at,
            "the store was changed while it was read, so that this would be no copy of it; stop what changes it"
        );
        for entry in &page.entries {
            ensure!(entry.key != at::restoring(), "a dump is being restored into this store; wait for that");
            lines.put(&Line::Record { k: STANDARD.encode(&entry.key), v: STANDARD.encode(&entry.value) })?;
        }
        records += page.entries.len() as u64;
        progress.set(records);
        after = page.entries.last().map(|entry| entry.key.clone());
        if !page.more {
            break;
        }
    }
    let chain = lines.chain.hex();
    lines.put(&Line::Trailer { records, chain })?;
    lines.out.flush().context("the dump cannot be written")?;
    Ok((records, lines.out))
}

async fn header(engine: &dyn Engine) -> Result<Header> {
    let stored = engine.get(&at::meta()).await.context("the store cannot be read")?.stored;
    let meta = stored.map(|stored| records::decode::<Meta>(&stored.value));
    let meta = meta
        .transpose()
        .map_err(|_| anyhow::anyhow!("the store's first record cannot be read; see the log"))?;
    Ok(Header {
        format: FORMAT.into(),
        v: VERSION,
        claviger: env!("CARGO_PKG_VERSION").into(),
        created: Clock::system().now().timestamp().to_string(),
        root: meta.map(|meta| meta.root),
    })
}

struct Lines<W> {
    out: W,
    chain: Chain,
}

impl<W: Write> Lines<W> {
    fn put(&mut self, line: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_vec(line).context("a line cannot be made")?;
        text.push(b'\n');
        self.chain.take(&text);
        self.out.write_all(&text).context("the dump cannot be written")
    }
}
