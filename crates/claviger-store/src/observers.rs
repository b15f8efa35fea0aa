//! The list of observers an engine keeps.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::{Change, Observer};

/// Observers in the order they registered.
#[derive(Default)]
pub struct Observers {
    list: Mutex<Vec<Observer>>,
}

impl Observers {
    /// Adds one, for all changes from now on.
    pub fn add(&self, observer: Observer) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).push(observer);
    }

    /// Tells every observer. The caller keeps changes in commit order by telling them one at a time.
    pub fn tell(&self, change: &Change<'_>) {
        // Called outside the lock, so that an observer may register another.
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for observer in list {
            observer(change);
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.list.lock().unwrap_or_else(PoisonError::into_inner).len();
        formatter.debug_struct("Observers").field("count", &count).finish()
    }
}
