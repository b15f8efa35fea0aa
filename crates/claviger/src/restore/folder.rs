//! Into a data folder: the store has its name once it is whole.

use std::fs;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use claviger_core::Entropy;
use claviger_store::{EmbeddedEngine, EmbeddedOptions, Engine};

use super::Restored;
use super::fill::Fence;
use super::reading::read;
use crate::files;
use crate::progress::Progress;
use crate::server::STORE_FILE;

/// Restores into a store that gets its name at the end. Whatever goes wrong, no store is there then.
pub(super) async fn into_folder(input: impl BufRead, data: &Path, progress: Progress) -> Result<Restored> {
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
    read(input, &(Arc::new(engine) as Arc<dyn Engine>), Fence::Nothing, progress).await
}
