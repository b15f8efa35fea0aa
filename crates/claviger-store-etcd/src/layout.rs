//! Where things are in etcd: the keys of one Claviger cluster, all under its prefix.
//!
//! | key | what |
//! |---|---|
//! | `<prefix>c` | the cluster: its format, name and lease, as JSON |
//! | `<prefix>d/<record key>` | a record, as it was put |
//! | `<prefix>h/00` | the head: put by every transaction that may commit, so that its revision is that of the newest commit or higher |
//! | `<prefix>n/<node id>` | a node that may serve, as JSON, under an etcd lease |
//! | `<prefix>a/<node id>` | up to which revision that node has applied, in decimal, under the same lease |
//! | `<prefix>t` | touched for the sake of the revision that this makes |
//!
//! The value of a head is `<engine id>:<number>`: whose transaction it was, for an engine that did not hear of the outcome. Whoever
//! asks for the newest commit reads all that is under `h/`, and takes the newest.

use claviger_store::limits::KEY_BYTES_MAX;

/// The keys under one prefix.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    prefix: Vec<u8>,
}

/// What a key of ours is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    Acknowledged(&'a str),
    Cluster,
    Data(&'a [u8]),
    Head,
    Node(&'a str),
    /// Nothing that this release knows.
    Unknown,
}

/// From a key up to, not including, another.
pub(crate) type Span = (Vec<u8>, Vec<u8>);

impl Layout {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.as_bytes().to_vec() }
    }

    pub(crate) fn cluster(&self) -> Vec<u8> {
        self.key(b"c", b"")
    }

    pub(crate) fn data(&self, key: &[u8]) -> Vec<u8> {
        self.key(b"d/", key)
    }

    pub(crate) fn head(&self) -> Vec<u8> {
        self.key(b"h/", b"00")
    }

    pub(crate) fn node(&self, id: &str) -> Vec<u8> {
        self.key(b"n/", id.as_bytes())
    }

    pub(crate) fn acknowledged(&self, id: &str) -> Vec<u8> {
        self.key(b"a/", id.as_bytes())
    }

    pub(crate) fn touch(&self) -> Vec<u8> {
        self.key(b"t", b"")
    }

    /// Everything under the prefix.
    pub(crate) fn all(&self) -> Span {
        (self.prefix.clone(), successor(&self.prefix))
    }

    pub(crate) fn heads(&self) -> Span {
        self.span(b"h/")
    }

    pub(crate) fn nodes(&self) -> Span {
        self.span(b"n/")
    }

    pub(crate) fn acknowledgements(&self) -> Span {
        self.span(b"a/")
    }

    /// The record key behind a key of etcd's, if it is one of a record.
    pub(crate) fn record<'k>(&self, key: &'k [u8]) -> Option<&'k [u8]> {
        match self.place(key) {
            Place::Data(record) => Some(record),
            _ => None,
        }
    }

    pub(crate) fn place<'k>(&self, key: &'k [u8]) -> Place<'k> {
        let Some(rest) = key.strip_prefix(self.prefix.as_slice()) else { return Place::Unknown };
        let id = |bytes: &'k [u8]| std::str::from_utf8(bytes).ok();
        match rest {
            b"c" => Place::Cluster,
            [b'a', b'/', rest @ ..] => id(rest).map_or(Place::Unknown, Place::Acknowledged),
            [b'd', b'/', rest @ ..] => Place::Data(rest),
            [b'h', b'/', ..] => Place::Head,
            [b'n', b'/', rest @ ..] => id(rest).map_or(Place::Unknown, Place::Node),
            _ => Place::Unknown,
        }
    }

    /// The most bytes that the prefix adds to a record's key.
    pub(crate) const fn overhead(&self) -> usize {
        self.prefix.len() + 2
    }

    fn key(&self, kind: &[u8], rest: &[u8]) -> Vec<u8> {
        [&self.prefix, kind, rest].concat()
    }

    fn span(&self, kind: &[u8]) -> Span {
        let start = self.key(kind, b"");
        let end = successor(&start);
        (start, end)
    }
}

/// The smallest key greater than everything that starts with `prefix`, as etcd writes ends: one zero byte for "no end".
pub(crate) fn successor(prefix: &[u8]) -> Vec<u8> {
    let Some(kept) = prefix.iter().rposition(|byte| *byte != u8::MAX) else { return vec![0] };
    let mut end: Vec<u8> = prefix.iter().copied().take(kept + 1).collect();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

/// Whether a record can have this key.
pub(crate) const fn is_record_key(key: &[u8]) -> bool {
    !key.is_empty() && key.len() <= KEY_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart() {
        let layout = Layout::new("x/");
        for (key, place) in [
            (layout.cluster(), Place::Cluster),
            (layout.data(b"k\xff"), Place::Data(b"k\xff")),
            (layout.data(b""), Place::Data(b"")),
            (layout.head(), Place::Head),
            (layout.node("one"), Place::Node("one")),
            (layout.acknowledged("one"), Place::Acknowledged("one")),
            (b"x/n/\xff".to_vec(), Place::Unknown),
            (b"x/other".to_vec(), Place::Unknown),
            (b"y/c".to_vec(), Place::Unknown),
        ] {
            assert_eq!(layout.place(&key), place, "{key:?}");
        }
    }

    #[test]
    fn ends_are_as_etcd_writes_them() {
        for (prefix, end) in [(&b"a/"[..], &b"a0"[..]), (b"a\xff", b"b"), (b"\xff", b"\x00"), (b"", b"\x00")]
        {
            assert_eq!(successor(prefix), end, "{prefix:?}");
        }
    }
}
