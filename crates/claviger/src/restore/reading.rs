//! Reading a dump: line by line, each checked before it counts, and the whole by its trailer.

use std::io::{BufRead, Read as _};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_core::records::at;
use claviger_store::Engine;

use super::Restored;
use super::fill::{Batches, Fence};
use crate::dump_format::{Chain, FORMAT, Header, LINE_BYTES_MAX, Line, VERSION};
use crate::progress::Progress;

/// Reads a dump into an empty engine, which must not be used unless this succeeds.
///
/// # Errors
/// What is wrong with the dump, and in which line; or why the engine failed.
pub async fn read(
    input: impl BufRead,
    engine: &Arc<dyn Engine>,
    fence: Fence,
    progress: &Progress,
) -> Result<Restored> {
    let mut lines = Lines { input, line: Vec::new(), number: 0, chain: Chain::default() };
    let header = header(&mut lines, progress)?;
    let mut batches = Batches::new(engine, fence);
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
                ensure!(key != at::restoring(), "the dump is of a store that was half a copy itself");
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
