//! This engine's own transactions on their way: what the watch tells of them is kept for as long as somebody may ask.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use claviger_store::Version;

/// All of them, by their number. Each is remembered from before it is sent until its sender has dropped it, however many come
/// behind: what is not here was not applied.
#[derive(Debug, Default)]
pub(crate) struct Departures(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next: u64,
    under_way: BTreeMap<u64, Option<Arrived>>,
}

/// A transaction that etcd has applied.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) version: Version,
    /// The records that it has put, and those it has deleted.
    pub(crate) keys: Arc<[Vec<u8>]>,
}

impl Departures {
    /// Begins a transaction.
    pub(crate) fn depart(&self) -> Departed<'_> {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.under_way.insert(number, None);
        Departed { departures: self, number }
    }

    /// Notes that the watch has told of a transaction, if anybody may still ask.
    pub(crate) fn arrived(&self, number: u64, version: Version, keys: Vec<Vec<u8>>) {
        if let Some(known) = self.state().under_way.get_mut(&number) {
            *known = Some(Arrived { version, keys: keys.into() });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One transaction, for its sender.
#[derive(Debug)]
pub(crate) struct Departed<'d> {
    departures: &'d Departures,
    pub(crate) number: u64,
}

impl Departed<'_> {
    /// What was applied, if the watch has told of it.
    pub(crate) fn arrived(&self) -> Option<Arrived> {
        self.departures.state().under_way.get(&self.number).cloned().flatten()
    }
}

impl Drop for Departed<'_> {
    fn drop(&mut self) {
        self.departures.state().under_way.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_applied_is_known_however_much_comes_behind() {
        let departures = Departures::default();
        let (slow, lost) = (departures.depart(), departures.depart());
        assert!(slow.arrived().is_none());
        departures.arrived(slow.number, 5, vec![b"a".to_vec()]);
        for version in 6..10_000 {
            let quick = departures.depart();
            departures.arrived(quick.number, version, Vec::new());
            assert_eq!(quick.arrived().map(|arrived| arrived.version), Some(version));
        }
        let arrived = slow.arrived().expect("it was told of");
        assert_eq!((arrived.version, arrived.keys.as_ref()), (5, [b"a".to_vec()].as_slice()));
        assert!(lost.arrived().is_none(), "nobody has told of it");
    }

    #[test]
    fn nothing_is_kept_that_nobody_can_ask_for() {
        let departures = Departures::default();
        let number = departures.depart().number;
        departures.arrived(number, 5, Vec::new());
        departures.arrived(number + 1, 6, Vec::new());
        assert!(departures.state().under_way.is_empty());
    }
}
