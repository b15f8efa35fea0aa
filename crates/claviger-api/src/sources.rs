//! How many connections each source has open, so that one source cannot have them all.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Open connections by source. Holds nothing of a source without any.
#[derive(Debug, Default)]
pub struct Sources(Mutex<HashMap<IpAddr, usize>>);

impl Sources {
    /// A place for one more connection of a source; given back when it is dropped.
    pub(crate) fn take(self: &Arc<Self>, source: IpAddr, most: usize) -> Option<FromSource> {
        let source = network(source);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(source).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(FromSource { sources: Arc::clone(self), source })
    }
}

/// A connection's place among those of its source.
#[derive(Debug)]
pub(crate) struct FromSource {
    sources: Arc<Sources>,
    source: IpAddr,
}

impl Drop for FromSource {
    fn drop(&mut self) {
        let mut open = self.sources.0.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.source) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(open.remove(&self.source)),
        }
    }
}

/// The address itself; of IPv6 the /64, which is what one customer usually has.
pub(crate) fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_by_network_and_given_back() {
        let sources = Arc::new(Sources::default());
        let address = |text: &str| -> IpAddr { text.parse().expect("an address") };
        let first = sources.take(address("2001:db8::1"), 2);
        let second = sources.take(address("2001:db8::2"), 2);
        assert!(first.is_some() && second.is_some());
        assert!(sources.take(address("2001:db8::3"), 2).is_none(), "the same /64");
        assert!(sources.take(address("2001:db8:0:1::1"), 2).is_some(), "another /64");
        assert!(sources.take(address("::ffff:10.0.0.1"), 1).is_some());
        drop(first);
        assert!(sources.take(address("2001:db8::3"), 2).is_some());
        drop(second);
        assert!(sources.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty());
    }
}
