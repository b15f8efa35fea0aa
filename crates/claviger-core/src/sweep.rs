//! What happens by itself: deletions and expiries that are due. Every load already sees a key as time has left it; the sweep makes
//! it durable, exactly once over all nodes that sweep at the same time, and picks up after a restart where the store stands: a commit
//! rests on the key as it was read, so that of several settlements one takes place and the others find nothing to do.

#[cfg(test)]
mod tests;

use claviger_store::{Scan, StoreError, Version};

use crate::authority::Authority;
use crate::fault::Fault;
use crate::ids::KeyId;
use crate::key::Key;
use crate::key::create::put_key;
use crate::records::{self, at};

/// Due entries handled per sweep.
const STEP: usize = 500;

impl Authority {
    /// Handles what is due; answers how many keys changed.
    pub async fn sweep(&self) -> Result<usize, Fault> {
        let now = self.clock.now();
        let page = self.engine.scan(Scan::forward(at::DUE, STEP)).await?;
        let mut handled = 0;
        for entry in page.entries {
            let Some(when) =
                entry.key.get(1..9).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes)
            else {
                continue;
            };
            if when > now.millis() {
                break;
            }
            if let Some(id) = entry.key.last_chunk::<16>() {
                match self.settle_key(KeyId(*id), entry.key.clone()).await {
                    Ok(changed) => handled += usize::from(changed),
                    // One key that cannot be handled keeps no other from its time.
                    Err(fault) => {
                        tracing::error!(?fault, key = %KeyId(*id), "a due key could not be handled");
                    }
                }
            }
        }
        Ok(handled)
    }

    async fn settle_key(&self, id: KeyId, entry: Vec<u8>) -> Result<bool, Fault> {
        let _turn = self.turn(id).await;
        let mut tx = self.tx();
        let Some(value) = tx.get(&at::key(id)).await? else {
            // An entry without its key: nothing is due any more. Another node may have seen that too.
            if tx.get(&entry).await?.is_some() {
                tx.delete(entry);
                unless_another_was_first(tx.commit().await)?;
            }
            return Ok(false);
        };
        let before: Key = records::decode(&value)?;
        let after = before.clone().settle(self.clock.now());
        if after.as_ref() == Some(&before) {
            return Ok(false);
        }
        put_key(&mut tx, Some(&before), after.as_ref());
        unless_another_was_first(tx.commit().await)
    }
}

/// Whether it was this node that did it. If somebody changed the key at this moment, the next sweep looks again.
fn unless_another_was_first(committed: Result<Option<Version>, StoreError>) -> Result<bool, Fault> {
    match committed {
        Err(StoreError::Conflict) => Ok(false),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(true),
    }
}
