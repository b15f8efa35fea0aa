//! Into a store that others can see while it is filled: a mark is put first and taken away last, and no node starts on a store
//! that carries it.

use std::io::BufRead;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use claviger_core::Clock;
use claviger_core::records::{self, Restoring, at};
use claviger_store::{Batch, Engine, Expect, Scan, StoreError, Tx, Version};

use super::Restored;
use super::fill::Fence;
use super::reading::read;
use crate::progress::Progress;
use crate::store;

/// Records removed at a time.
const STEP: usize = 100;

/// Restores into an empty store. If the dump is not whole, what was written of it is removed again.
pub(super) async fn into_shared(
    input: impl BufRead,
    engine: &Arc<dyn Engine>,
    progress: &Progress,
) -> Result<Restored> {
    let version = mark(engine).await?;
    let error = match read(input, engine, Fence::Mark(version), progress).await {
        Ok(restored) => {
            let lifted = remove(engine, vec![at::restoring()], version).await;
            lifted.context("everything is stored, but the mark that it is not could not be taken away")?;
            return Ok(restored);
        }
        Err(error) => error,
    };
    match discard(engine, &Progress::none()).await {
        Ok(_) => Err(error.context("nothing was restored")),
        Err(_) => Err(error.context(
            "the store is left half filled, and no node starts on it; remove that with `claviger restore --discard`",
        )),
    }
}

/// Removes what a restore has left that did not come to its end, and nothing else. One that still runs fails by it.
pub(super) async fn discard(engine: &Arc<dyn Engine>, progress: &Progress) -> Result<u64> {
    let mark = engine.get(&at::restoring()).await.context("the store cannot be read")?.stored;
    let Some(mark) = mark else {
        bail!("no restore was begun here that did not come to its end; nothing was removed")
    };
    // Put anew, so that no commit of that restore can succeed any more.
    let again = Batch {
        expect: vec![(at::restoring(), Expect::Version(mark.version))],
        put: vec![(at::restoring(), Some(mark.value))],
    };
    let version = engine.commit(again).await.map_err(others)?;
    let mut removed = 0;
    loop {
        let page = engine.scan(Scan::forward(b"", STEP)).await.context("the store cannot be read")?;
        let keys: Vec<Vec<u8>> =
            page.entries.into_iter().map(|entry| entry.key).filter(|key| *key != at::restoring()).collect();
        if keys.is_empty() {
            break;
        }
        removed += keys.len() as u64;
        remove(engine, keys, version).await?;
        progress.set(removed);
    }
    remove(engine, vec![at::restoring()], version).await?;
    Ok(removed)
}

/// Puts the mark into a store that has nothing else.
async fn mark(engine: &Arc<dyn Engine>) -> Result<Version> {
    store::refuse_half(&**engine).await?;
    let page = engine.scan(Scan::forward(b"", 1)).await.context("the store cannot be read")?;
    ensure!(
        page.entries.is_empty(),
        "there is a store already, and it is left as it is; restore into an empty one (with another [store] prefix, say)"
    );
    let mut tx = Tx::new(&**engine);
    tx.expect_absent(at::restoring());
    // The first record of every store.
    tx.expect_absent(at::meta());
    let mark = Restoring { v: records::FORMAT, since: Clock::system().now() };
    tx.put(at::restoring(), records::encode(&mark));
    let version = tx.commit().await.map_err(others)?;
    version.context("a commit that puts something has a version")
}

async fn remove(engine: &Arc<dyn Engine>, keys: Vec<Vec<u8>>, mark: Version) -> Result<()> {
    let put = keys.into_iter().map(|key| (key, None)).collect();
    let batch = Batch { expect: vec![(at::restoring(), Expect::Version(mark))], put };
    engine.commit(batch).await.map(drop).map_err(others)
}

fn others(error: StoreError) -> anyhow::Error {
    match error {
        StoreError::Conflict => anyhow::anyhow!("somebody else writes to the same store"),
        error => anyhow::Error::new(error).context("the store cannot be written"),
    }
}
