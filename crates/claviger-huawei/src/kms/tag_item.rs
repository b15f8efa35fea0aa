//! Tags as this wire writes them.

use claviger_core::tag::Tag;
use serde::{Deserialize, Serialize};

/// A tag in a request; a value that is absent is empty.
#[derive(Debug, Deserialize)]
pub(super) struct TagItem {
    pub(super) key: String,
    value: Option<String>,
}

impl From<TagItem> for Tag {
    fn from(item: TagItem) -> Self {
        Self { key: item.key, value: item.value.unwrap_or_default() }
    }
}

/// A tag in an answer.
#[derive(Debug, Serialize)]
pub(super) struct ShownTag<'a> {
    key: &'a str,
    value: &'a str,
}

/// Tags in an answer, in the order in which they were added.
pub(super) fn shown(tags: &[Tag]) -> Vec<ShownTag<'_>> {
    tags.iter().map(|tag| ShownTag { key: &tag.key, value: &tag.value }).collect()
}
