//! A version that rises, and those who wait until it has come to theirs.
//!
//! Whoever waits is woken once, when its version is reached, in the order of the versions. With a channel that wakes everybody at
//! every step, as tokio's `watch` does, hundreds of commits that wait for acknowledgements would be woken for each of them; and
//! `watch` wakes in an order that chance decides, which no simulation can repeat.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use claviger_store::Version;
use tokio::sync::oneshot;

/// The version, and the queue before it.
#[derive(Debug, Default)]
pub(crate) struct Level(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    version: Version,
    waiting: BTreeMap<Place, oneshot::Sender<()>>,
    /// Places given out.
    places: u64,
}

/// What somebody waits for, and how many came before.
type Place = (Version, u64);

impl Level {
    pub(crate) fn get(&self) -> Version {
        self.state().version
    }

    /// Sets the version, which may be lower than before: who was woken stays so.
    pub(crate) fn set(&self, version: Version) {
        self.change(|_| version);
    }

    /// Raises the version; a lower one changes nothing.
    pub(crate) fn raise(&self, version: Version) {
        self.change(|known| known.max(version));
    }

    fn change(&self, to: impl FnOnce(Version) -> Version) {
        let reached = {
            let mut state = self.state();
            state.version = to(state.version);
            let last = (state.version, u64::MAX);
            let above = state.waiting.split_off(&last);
            std::mem::replace(&mut state.waiting, above)
        };
        for waiting in reached.into_values() {
            // It may have given up just now.
            let _gone = waiting.send(());
        }
    }

    /// Waits until the version has been set to this one or a higher one.
    pub(crate) async fn reaches(&self, version: Version) {
        let Some((place, reached)) = self.queue(version) else { return };
        let _queued = Queued { level: self, place };
        // An error would say that the level is gone, which it is not while it is borrowed.
        let _reached = reached.await;
    }

    fn queue(&self, version: Version) -> Option<(Place, oneshot::Receiver<()>)> {
        let mut state = self.state();
        if state.version >= version {
            return None;
        }
        state.places += 1;
        let place = (version, state.places);
        let (reach, reached) = oneshot::channel();
        state.waiting.insert(place, reach);
        Some((place, reached))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue, given back when nobody waits there any more.
struct Queued<'l> {
    level: &'l Level,
    place: Place,
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.level.state().waiting.remove(&self.place);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::task::{JoinSet, yield_now};

    use super::*;

    #[tokio::test]
    async fn those_are_woken_whose_version_is_reached_in_order() {
        let level = Arc::new(Level::default());
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        for (name, version) in [("c", 7), ("a", 3), ("d", 7), ("b", 5), ("e", 9)] {
            let (level, order) = (Arc::clone(&level), Arc::clone(&order));
            tasks.spawn(async move {
                level.reaches(version).await;
                order.lock().expect("no task panics").push(name);
            });
        }
        let woken = async |set: &dyn Fn()| {
            yield_now().await;
            set();
            yield_now().await;
            order.lock().expect("no task panics").concat()
        };
        assert_eq!(woken(&|| level.set(2)).await, "");
        assert_eq!(woken(&|| level.set(7)).await, "abcd");
        assert_eq!(woken(&|| level.set(4)).await, "abcd", "what was reached stays reached");
        assert_eq!(woken(&|| level.raise(3)).await, "abcd");
        assert_eq!(level.get(), 4);
        level.reaches(4).await;
        assert_eq!(woken(&|| level.raise(Version::MAX)).await, "abcde");
        level.reaches(Version::MAX).await;
    }

    #[tokio::test]
    async fn who_gives_up_leaves_nothing_behind() {
        let level = Level::default();
        let waited = tokio::time::timeout(std::time::Duration::from_millis(1), level.reaches(1)).await;
        assert!(waited.is_err());
        assert!(level.state().waiting.is_empty());
    }
}
