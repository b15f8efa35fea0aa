//! `claviger restore`: a store out of a dump. The store has its name, and can be served, only once the whole dump has been read
//! and its trailer has shown that it is whole.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_core::Entropy;
use claviger_store::{Batch, EmbeddedEngine, EmbeddedOptions, Engine, StoreError};
use tokio::task::JoinSet;

use crate::dump_format::{Chain, FORMAT, Header, LINE_BYTES_MAX, Line, VERSION};
use crate::files;
use crate::progress::Progress;
use crate::server::STORE_FILE;

/// Records per commit; etcd takes 128 operations.
const BATCH_RECORDS: usize = 100;
/// Bytes after which a batch is committed; the record that passes it fits the store's limit for batches.
const BATCH_BYTES: usize = 128 << 10;
/// Batches under way at once, to share durable writes.
const BATCHES_AT_ONCE: usize = 32;

/// What can be said on the command line.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The dump, or - for standard input.
    #[arg(long = "in", alias = "from", value_name = "FILE")]
    pub input: PathBuf,
    /// The data folder; it must have no store yet.
    #[arg(long, value_name = "DIR", default_value = "./claviger-data")]
    pub data: PathBuf,
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// How many records.
    pub records: u64,
    /// The fingerprint of the root key that they are sealed under.
    pub root: Option<String>,
}

/// Makes the store of a data folder.
pub async fn run(args: Args) -> Result<()> {
    let restored = if args.input == Path::new("-") {
        into_folder(io::stdin().lock(), &args.data, Progress::counting("bytes")).await?
    } else {
        let unreadable = || format!("cannot read {}", args.input.display());
        let file = File::open(&args.input).with_context(unreadable)?;
        let progress = Progress::of_bytes(file.metadata().with_context(unreadable)?.len());
        into_folder(BufReader::with_capacity(1 << 20, file), &args.data, progress).await?
    };
    let needs = restored.root.map(|root| format!("; it needs root key {root}")).unwrap_or_default();
    eprintln!("{} records in {}{needs}", restored.records, args.data.display());
    Ok(())
}

/// Restores into a store that gets its name at the end. Whatever goes wrong, no store is there then.
pub async fn into_folder(input: impl BufRead, data: &Path, progress: Progress) -> Result<Restored> {
    files::make_folder(data)?;
    let store = data.join(STORE_FILE);
    ensure!(!store.exists(), "{} is there already; restore into an empty folder", store.display());
    let mark: [u8; 8] = Entropy::system().bytes();
    let unfinished = data.join(format!("{STORE_FILE}.restore-{}", claviger_core::hex_lower(&mark)));
    let outcome = into_file(input, &unfinished, &progress).await.and_then(|restored| {
        // Unlike a rename, a link never takes the place of a store that came to be meanwhile.
        fs::hard_link(&unfinished, &store).with_context(|| format!("cannot create {}", store.display()))?;
        Ok(restored)
    });
    // Gone either way; what an error left behind is no store.
    let removed = fs::remove_file(&unfinished);
    let restored = outcome?;
    removed.with_context(|| format!("cannot remove {}", unfinished.display()))?;
    files::sync_folder(&store)?;
    Ok(restored)
}

async fn into_file(input: impl BufRead, path: &Path, progress: &Progress) -> Result<Restored> {
    let engine =
        EmbeddedEngine::open(path, EmbeddedOptions::default()).context("the store cannot be made")?;
    read(input, &(Arc::new(engine) as Arc<dyn Engine>), progress).await
}

/// Reads a dump into an empty engine, which must not be used unless this succeeds.
///
/// # Errors
/// What is wrong with the dump, and in which line; or why the engine failed.
pub async fn read(input: impl BufRead, engine: &Arc<dyn Engine>, progress: &Progress) -> Result<Restored> {
    let mut lines = Lines { input, line: Vec::new(), number: 0, chain: Chain::default() };
    let header = header(&mut lines, progress)?;
    let mut batches = Batches::new(engine);
    let mut last: Option<Vec<u8>> = None;
    let mut count = 0;
    loop {
        let chain = lines.chain;
        ensure!(
            lines.next(progress)?,
            "the dump ends after line {} without its trailer: it is not whole",
            lines.number
        );
        let number = lines.number;
        let line: Line = serde_json::from_slice(&lines.line)
            .with_context(|| format!("line {number} of the dump is damaged"))?;
        match line {
            Line::Record { k, v } => {
                let decode = |text: String| {
                    STANDARD.decode(text).with_context(|| format!("line {number} of the dump is damaged"))
                };
                let (key, value) = (decode(k)?, decode(v)?);
                let ordered = last.as_ref().is_none_or(|last| *last < key);
                ensure!(ordered, "line {number} of the dump is out of order: lines were moved or repeated");
                batches.put(key.clone(), value).await?;
                last = Some(key);
                count += 1;
            }
            Line::Trailer { records, chain: expected } => {
                ensure!(
                    records == count,
                    "the dump has {count} records, and its trailer says {records}: it is not whole"
                );
                ensure!(expected == chain.hex(), "the dump was altered: its trailer does not fit its lines");
                ensure!(!lines.next(progress)?, "the dump goes on behind its trailer");
                batches.finish().await?;
                return Ok(Restored { records, root: header.root });
            }
        }
    }
}

fn header<R: BufRead>(lines: &mut Lines<R>, progress: &Progress) -> Result<Header> {
    ensure!(lines.next(progress)?, "the dump is empty");
    let header: Header =
        serde_json::from_slice(&lines.line).context("this is not a dump made by `claviger dump`")?;
    ensure!(header.format == FORMAT, "this is not a dump made by `claviger dump`");
    ensure!(
        header.v <= VERSION,
        "the dump has version {}, and this release reads up to {VERSION}; use claviger {} or later",
        header.v,
        header.claviger
    );
    Ok(header)
}

struct Lines<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
    chain: Chain,
}

impl<R: BufRead> Lines<R> {
    /// Whether there was one more line; it is whole then.
    fn next(&mut self, progress: &Progress) -> Result<bool> {
        self.line.clear();
        let limit = LINE_BYTES_MAX as u64 + 1;
        let read = self.input.by_ref().take(limit).read_until(b'\n', &mut self.line);
        let read = read.context("the dump cannot be read")?;
        if read == 0 {
            return Ok(false);
        }
        self.number += 1;
        ensure!(read <= LINE_BYTES_MAX, "line {} of the dump is longer than any line of a dump", self.number);
        ensure!(self.line.ends_with(b"\n"), "line {} of the dump has no end: it is not whole", self.number);
        self.chain.take(&self.line);
        progress.add(read as u64);
        Ok(true)
    }
}

/// Records on their way into an engine.
struct Batches<'a> {
    engine: &'a Arc<dyn Engine>,
    batch: Batch,
    bytes: usize,
    running: JoinSet<Result<u64, StoreError>>,
}

impl<'a> Batches<'a> {
    fn new(engine: &'a Arc<dyn Engine>) -> Self {
        Self { engine, batch: Batch::default(), bytes: 0, running: JoinSet::new() }
    }

    async fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<()> {
        self.bytes += key.len() + value.len();
        self.batch.put.push((key, Some(value)));
        if self.batch.put.len() >= BATCH_RECORDS || self.bytes >= BATCH_BYTES {
            self.commit().await?;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        while self.running.len() >= BATCHES_AT_ONCE {
            self.one_less().await?;
        }
        let (engine, batch) = (Arc::clone(self.engine), std::mem::take(&mut self.batch));
        self.bytes = 0;
        self.running.spawn(async move { engine.commit(batch).await });
        Ok(())
    }

    async fn one_less(&mut self) -> Result<()> {
        match self.running.join_next().await {
            Some(Ok(committed)) => committed.map(drop).context("the store cannot be written"),
            Some(Err(error)) => bail!("a commit died: {error}"),
            None => Ok(()),
        }
    }

    async fn finish(mut self) -> Result<()> {
        if !self.batch.put.is_empty() {
            self.commit().await?;
        }
        while !self.running.is_empty() {
            self.one_less().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use claviger_store::{MemoryEngine, Scan};

    use super::*;
    use crate::dump;

    fn engine() -> Arc<dyn Engine> {
        Arc::new(MemoryEngine::new())
    }

    async fn filled(records: u32) -> Arc<dyn Engine> {
        let engine = engine();
        for number in 0..records {
            let key = number.to_be_bytes().to_vec();
            let put = vec![(key, Some(vec![0xff; usize::try_from(number % 7).expect("small")]))];
            engine.commit(Batch { expect: Vec::new(), put }).await.expect("committed");
        }
        engine
    }

    async fn dumped(engine: &Arc<dyn Engine>) -> Vec<u8> {
        dump::write(&**engine, Vec::new(), &Progress::none()).await.expect("dumped").1
    }

    async fn all(engine: &Arc<dyn Engine>) -> Vec<(Vec<u8>, Vec<u8>)> {
        let page = engine.scan(Scan::forward(b"", 4096)).await.expect("read");
        assert!(!page.more);
        page.entries.into_iter().map(|entry| (entry.key, entry.value)).collect()
    }

    #[tokio::test]
    async fn what_was_dumped_comes_back() {
        for records in [0, 1, 99, 100, 101, 2500] {
            let (from, to) = (filled(records).await, engine());
            let text = dumped(&from).await;
            let restored = read(text.as_slice(), &to, &Progress::none()).await.expect("whole");
            assert_eq!(restored.records, u64::from(records));
            assert_eq!(all(&to).await, all(&from).await);
        }
    }

    #[tokio::test]
    async fn every_cut_and_every_changed_byte_is_noticed() {
        let text = dumped(&filled(3).await).await;
        for end in 0..text.len() {
            let cut = text.get(..end).expect("within");
            read(cut, &engine(), &Progress::none()).await.expect_err("cut short");
        }
        for index in 0..text.len() {
            let mut altered = text.clone();
            altered[index] ^= 1;
            read(altered.as_slice(), &engine(), &Progress::none()).await.expect_err("altered");
        }
    }

    #[tokio::test]
    async fn damage_is_named() {
        let text = String::from_utf8(dumped(&filled(3).await).await).expect("JSON");
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let [header, a, b, c, trailer] = lines.as_slice() else { panic!("{lines:?}") };
        let long = "x".repeat(LINE_BYTES_MAX + 1);
        for (dump, expected) in [
            (String::new(), "the dump is empty"),
            ("hello\n".into(), "this is not a dump"),
            ("{\"format\":\"other\",\"v\":1}\n".into(), "this is not a dump"),
            (header.replace("\"v\":1", "\"v\":2"), "the dump has version 2"),
            (format!("{header}{a}"), "ends after line 2 without its trailer"),
            (format!("{header}{a}{b}{c}{}", trailer.trim_end()), "line 5 of the dump has no end"),
            (format!("{header}{a}{c}{trailer}"), "has 2 records, and its trailer says 3"),
            (format!("{header}{b}{a}{c}{trailer}"), "line 3 of the dump is out of order"),
            (format!("{header}{a}{a}{b}{c}{trailer}"), "line 3 of the dump is out of order"),
            (format!("{text}{a}"), "goes on behind its trailer"),
            (format!("{header}{a}{{}}\n{c}{trailer}"), "line 3 of the dump is damaged"),
            (format!("{header}{long}"), "longer than any line"),
            (text.replacen("0.1.0", "0.1.1", 1), "the dump was altered"),
        ] {
            let error = read(dump.as_bytes(), &engine(), &Progress::none()).await.expect_err(expected);
            assert!(format!("{error:#}").contains(expected), "{expected}: {error:#}");
        }
    }

    #[tokio::test]
    async fn a_folder_gets_a_store_only_from_a_whole_dump() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join(STORE_FILE);
        let text = dumped(&filled(300).await).await;
        let cut = text.get(..text.len() / 2).expect("within");
        into_folder(cut, folder.path(), Progress::none()).await.expect_err("half");
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 0, "nothing is left of it");
        into_folder(text.as_slice(), folder.path(), Progress::none()).await.expect("whole");
        assert!(store.exists());
        let again =
            into_folder(text.as_slice(), folder.path(), Progress::none()).await.expect_err("not empty");
        assert!(again.to_string().contains("is there already"), "{again}");
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1);
        let engine: Arc<dyn Engine> =
            Arc::new(EmbeddedEngine::open(&store, EmbeddedOptions::default()).expect("a store"));
        assert_eq!(all(&engine).await.len(), 300);
    }
}
