//! What the model keeps: etcd as a log, the nodes, and the writers.
//!
//! A *version* is a number of commits: state at version 2 has seen the first two. Every commit revokes, and all of them write the one
//! record that nodes cache, which is the worst case. *Ages* are in ticks of true time and stop growing where they no longer matter.

use crate::bounds::Bounds;

/// Most nodes in any bounds.
pub const MOST_NODES: usize = 3;
/// Most writers in any bounds.
pub const MOST_WRITERS: usize = 2;
/// Most registrations, over the whole run.
pub const MOST_IDS: usize = 4;
/// Most events in etcd.
pub const MOST_EVENTS: usize = 5;

/// A node's name in the registry; a new registration has a new one.
pub type Id = u8;

/// An event that etcd has stored, at the revision that is its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A commit that revokes.
    Commit,
    /// etcd let the registration expire, rightly or not.
    Deleted(Id),
    /// The node said that it serves no more.
    Left(Id),
    /// A node registered.
    Registered(Id),
}

/// Everything etcd has stored since the run began. The first registrations were there before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Log {
    events: [Option<Event>; MOST_EVENTS],
    length: u8,
}

/// What a view of the registry says of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its registration is there.
    Registered,
    /// Its registration was deleted.
    Deleted,
    /// It left, or was never there.
    Absent,
}

/// A process: whether it takes steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Power {
    /// It takes steps.
    Running,
    /// It takes none, keeps its memory and may go on at any time: SIGSTOP, a suspended machine.
    Stopped,
    /// It has crashed.
    Down,
}

/// A renewal under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Renewal {
    /// Whose registration it reads.
    pub id: Id,
    /// Since the node read its clock.
    pub age: u8,
    /// What etcd has read, once it has.
    pub read: Option<Reading>,
}

/// What the one transaction of a renewal has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reading {
    /// The version of the newest commit.
    pub head: u8,
    /// Whether the registration was there.
    pub registered: bool,
}

/// The serving side of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// Whether it takes steps.
    pub power: Power,
    /// What it believes to be registered under.
    pub id: Option<Id>,
    /// The version that its watch has applied.
    pub applied: u8,
    /// The version of the cached record.
    pub cached: Option<u8>,
    /// The version of the record in an answer that is on its way from the store to the cache.
    pub fill: Option<u8>,
    /// The age of the lease, which is the age of the renewal that gave it.
    pub lease: Option<u8>,
    /// The renewal under way.
    pub renewal: Option<Renewal>,
}

/// A revocation that has not been answered to its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wait {
    /// The version that everybody has to have reached.
    pub version: u8,
    /// Since the writer read its clock.
    pub age: u8,
}

/// The writing side of a node, with its own view of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Writer {
    /// How many events its watch has applied.
    pub applied: u8,
    /// Since it read the registry afresh.
    pub fresh: u8,
    /// Since it saw each registration deleted.
    pub deleted: [Option<u8>; MOST_IDS],
    /// The revocation that it has not answered.
    pub wait: Option<Wait>,
}

/// A state of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// etcd.
    pub log: Log,
    /// The version that each id has acknowledged, as etcd has it.
    pub acknowledged: [u8; MOST_IDS],
    /// The serving sides.
    pub nodes: [Node; MOST_NODES],
    /// The writing sides.
    pub writers: [Writer; MOST_WRITERS],
    /// The newest version whose revocation has been answered to its client.
    pub returned: u8,
}

impl State {
    /// All nodes registered, with the record cached and no lease yet; all writers `acquainted` ticks with the registry.
    pub fn first(bounds: &Bounds, acquainted: u8) -> Self {
        let writer = Writer { applied: 0, fresh: acquainted, deleted: [None; MOST_IDS], wait: None };
        let mut nodes = [Node::DOWN; MOST_NODES];
        for (node, id) in nodes.iter_mut().zip(0..bounds.nodes) {
            *node = Node { power: Power::Running, id: Some(id), cached: Some(0), ..Node::DOWN };
        }
        Self {
            log: Log { events: [None; MOST_EVENTS], length: 0 },
            acknowledged: [0; MOST_IDS],
            nodes,
            writers: [writer; MOST_WRITERS],
            returned: 0,
        }
    }
}

impl Node {
    /// A node of which a crash has left nothing.
    pub const DOWN: Self = Self {
        power: Power::Down,
        id: None,
        applied: 0,
        cached: None,
        fill: None,
        lease: None,
        renewal: None,
    };
}

impl Log {
    /// How many events there are, which is etcd's revision.
    pub fn length(&self) -> u8 {
        self.length
    }

    /// The event after the first `applied` ones.
    pub fn after(&self, applied: u8) -> Option<Event> {
        self.events.get(usize::from(applied)).copied().flatten()
    }

    /// The version of the newest commit.
    pub fn head(&self) -> u8 {
        self.version_at(self.length)
    }

    /// The version that one has who applied the first `applied` events.
    pub fn version_at(&self, applied: u8) -> u8 {
        let commits = self.up_to(applied).filter(|event| *event == Event::Commit).count();
        u8::try_from(commits).expect("there are at most MOST_EVENTS")
    }

    /// What the first `applied` events say of an id, if the first `nodes` ids were registered before them.
    pub fn standing(&self, id: Id, applied: u8, nodes: u8) -> Standing {
        let before = if id < nodes { Standing::Registered } else { Standing::Absent };
        self.up_to(applied).fold(before, |standing, event| match event {
            Event::Deleted(whose) if whose == id => Standing::Deleted,
            Event::Left(whose) if whose == id => Standing::Absent,
            Event::Registered(whose) if whose == id => Standing::Registered,
            _ => standing,
        })
    }

    /// How often a node left or was deleted.
    pub fn departures(&self) -> u8 {
        let departs = |event: &Event| matches!(event, Event::Deleted(_) | Event::Left(_));
        u8::try_from(self.up_to(self.length).filter(departs).count()).expect("there are at most MOST_EVENTS")
    }

    /// The lowest id that nobody has had.
    pub fn next_id(&self, nodes: u8) -> Id {
        let registered = |event: &Event| matches!(event, Event::Registered(_));
        let new = self.up_to(self.length).filter(registered).count();
        nodes + u8::try_from(new).expect("there are at most MOST_EVENTS")
    }

    /// Stores an event.
    pub fn push(&mut self, event: Event) {
        self.events[usize::from(self.length)] = Some(event);
        self.length += 1;
    }

    fn up_to(&self, applied: u8) -> impl Iterator<Item = Event> + '_ {
        self.events.iter().take(usize::from(applied)).copied().flatten()
    }
}
