//! Which keys a request is about: one, those up to an end, or those to the end of all.

use std::ops::Bound;

/// `key` and `range_end` of a request, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    from: Vec<u8>,
    to: End,
}

type Bounds<'s> = (Bound<&'s [u8]>, Bound<&'s [u8]>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Before(Vec<u8>),
    Never,
    Same,
}

impl Span {
    /// An empty `range_end` names one key, `"\0"` all keys from `key` on.
    pub(super) fn new(key: &[u8], range_end: &[u8]) -> Self {
        let to = match range_end {
            b"" => End::Same,
            b"\0" => End::Never,
            end => End::Before(end.to_vec()),
        };
        Self { from: key.to_vec(), to }
    }

    /// Whether `key` is one of them.
    pub(super) fn contains(&self, key: &[u8]) -> bool {
        match &self.to {
            End::Before(end) => key >= self.from.as_slice() && key < end.as_slice(),
            End::Never => key >= self.from.as_slice(),
            End::Same => key == self.from,
        }
    }

    /// The same for searching in an ordered map; `None` when no key can be one of them.
    pub(super) fn bounds(&self) -> Option<Bounds<'_>> {
        let from = Bound::Included(self.from.as_slice());
        match &self.to {
            End::Before(end) if *end <= self.from => None,
            End::Before(end) => Some((from, Bound::Excluded(end.as_slice()))),
            End::Never => Some((from, Bound::Unbounded)),
            End::Same => Some((from, from)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn a_span_is_one_key_or_an_interval() {
        type Keys = &'static [&'static [u8]];
        let cases: [(&[u8], &[u8], Keys, Keys); 5] = [
            (b"a", b"", &[b"a"], &[b"", b"a\0", b"b"]),
            (b"a", b"c", &[b"a", b"b", b"bz"], &[b"c", b"A"]),
            (b"a", b"\0", &[b"a", b"\xff\xff"], &[b"A", b""]),
            (b"\0", b"\0", &[b"\0", b"a", b"\xff"], &[]),
            (b"b", b"a", &[], &[b"a", b"b"]),
        ];
        for (key, end, inside, outside) in cases {
            let span = Span::new(key, end);
            for key in inside {
                assert!(span.contains(key), "{span:?} {key:?}");
            }
            for key in outside {
                assert!(!span.contains(key), "{span:?} {key:?}");
            }
            assert_eq!(span.bounds().is_none(), inside.is_empty(), "{span:?}");
        }
    }
}
