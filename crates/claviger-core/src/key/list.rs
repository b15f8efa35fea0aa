//! Listing keys and finding them by tag.

use std::collections::{BTreeMap, BTreeSet};

use claviger_store::{Direction, Entry, Scan};

use crate::cx::{Cx, Granted};
use crate::fault::Fault;
use crate::ids::{KeyId, RingId};
use crate::key::Key;
use crate::records::{self, at};
use crate::tag::Tag;

/// Keys read per step of a scan.
const STEP: usize = 500;

/// Which keys, by age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The newest first.
    NewestFirst,
    /// The oldest first.
    OldestFirst,
}

/// Part of a list.
#[derive(Debug)]
pub struct Listed {
    /// The keys of the page.
    pub keys: Vec<Key>,
    /// How many there are on all pages.
    pub total: usize,
}

impl Cx<'_> {
    /// The keys of a ring that pass `filter`, `offset` skipped and at most `limit` of them. The total counts all that pass.
    pub async fn list_keys(
        &self,
        ring: &Granted<RingId>,
        order: Order,
        offset: usize,
        limit: usize,
        mut filter: impl FnMut(&Key) -> bool + Send,
    ) -> Result<Listed, Fault> {
        let mut listed = Listed { keys: Vec::new(), total: 0 };
        let direction = match order {
            Order::NewestFirst => Direction::Backward,
            Order::OldestFirst => Direction::Forward,
        };
        let prefix = at::keys_by_age(ring);
        let mut walk = Walk { cx: self, prefix: &prefix, direction, after: None, done: false };
        while let Some(ids) = walk.step().await? {
            for id in ids {
                let Some(key) = self.settled(id).await? else { continue };
                if !filter(&key) {
                    continue;
                }
                if listed.total >= offset && listed.keys.len() < limit {
                    listed.keys.push(key);
                }
                listed.total += 1;
            }
        }
        Ok(listed)
    }

    /// The number of keys of the caller's ring that count against its quota.
    pub async fn count_keys(&self, ring: &Granted<RingId>) -> Result<u64, Fault> {
        let read = self.authority.engine.get(&at::counts(ring)).await?;
        match read.stored {
            Some(stored) => Ok(records::decode::<records::Counts>(&stored.value)?.keys),
            None => Ok(0),
        }
    }

    /// Every tag of a ring's keys: each key with its values, both sorted.
    pub async fn all_tags(
        &self,
        ring: &Granted<RingId>,
    ) -> Result<BTreeMap<String, BTreeSet<String>>, Fault> {
        let mut tags: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let prefix = at::tags(ring);
        let mut walk =
            Walk { cx: self, prefix: &prefix, direction: Direction::Forward, after: None, done: false };
        while let Some(entries) = walk.entries().await? {
            for entry in entries {
                let tag: Tag = records::decode(&entry.value)?;
                tags.entry(tag.key).or_default().insert(tag.value);
            }
        }
        Ok(tags)
    }

    /// The ids of a ring's keys that have a tag with this key and, if any are named, one of these values.
    pub async fn keys_with_tag(
        &self,
        ring: &Granted<RingId>,
        tag_key: &str,
        values: &[String],
    ) -> Result<BTreeSet<KeyId>, Fault> {
        let mut found = BTreeSet::new();
        let prefix = at::keys_by_tag_key(ring, tag_key);
        let mut walk =
            Walk { cx: self, prefix: &prefix, direction: Direction::Forward, after: None, done: false };
        while let Some(entries) = walk.entries().await? {
            for entry in entries {
                let tag: Tag = records::decode(&entry.value)?;
                let wanted = tag.key == tag_key && (values.is_empty() || values.contains(&tag.value));
                found.extend(last_id(&entry).filter(|_| wanted));
            }
        }
        Ok(found)
    }

    /// A listed key as it is now. The ring it was listed from is the caller's, and the list's permission covers it.
    async fn settled(&self, id: KeyId) -> Result<Option<Key>, Fault> {
        let loaded = self.authority.key(id).await?;
        Ok(loaded.and_then(|loaded| loaded.settled(self.now)).map(|loaded| loaded.key.clone()))
    }
}

/// A walk through everything under a prefix.
struct Walk<'c> {
    cx: &'c Cx<'c>,
    prefix: &'c [u8],
    direction: Direction,
    after: Option<Vec<u8>>,
    done: bool,
}

impl Walk<'_> {
    async fn entries(&mut self) -> Result<Option<Vec<Entry>>, Fault> {
        if self.done {
            return Ok(None);
        }
        let scan = Scan {
            prefix: self.prefix,
            after: self.after.as_deref(),
            direction: self.direction,
            limit: STEP,
        };
        let page = self.cx.authority.engine.scan(scan).await?;
        self.done = !page.more;
        self.after = page.entries.last().map(|entry| entry.key.clone());
        Ok(Some(page.entries))
    }

    async fn step(&mut self) -> Result<Option<Vec<KeyId>>, Fault> {
        Ok(self.entries().await?.map(|entries| entries.iter().filter_map(last_id).collect()))
    }
}

/// The key id at the end of an index entry's place.
fn last_id(entry: &Entry) -> Option<KeyId> {
    entry.key.last_chunk::<16>().copied().map(KeyId)
}
