//! What the writing side of a node does: it commits, follows the watch for its view of the registry, and decides when to answer.

use crate::protocol::Protocol;
use crate::rule::Rule;
use crate::state::{Event, Id, MOST_IDS, Standing, State, Wait, Writer};

/// A step of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriterStep {
    /// It answers its client.
    Answer,
    /// It commits a revocation and learns so. A later answer from etcd is the same as a longer wait.
    Commit,
    /// Its watch applies the next event.
    Follow,
    /// A client asks for a revocation that the store has already, because the first call has not been answered.
    Repeat,
    /// Its watch was compacted: it reads the registry afresh.
    Reread,
    /// It dies and starts again; its client gets no answer.
    Restart,
}

impl WriterStep {
    /// All of them.
    pub const ALL: &[Self] =
        &[Self::Answer, Self::Commit, Self::Follow, Self::Repeat, Self::Reread, Self::Restart];
}

impl Protocol {
    /// Does the step; nothing if it is not possible.
    pub(crate) fn step_of_a_writer(&self, state: &mut State, writer: usize, step: WriterStep) -> Option<()> {
        match step {
            WriterStep::Answer => self.answer(state, writer),
            WriterStep::Commit => self.commit(state, writer),
            WriterStep::Follow => self.follow(state, writer),
            WriterStep::Repeat => self.repeat(state, writer),
            WriterStep::Reread => {
                self.reread(&mut state.writers[writer], state.log.length());
                Some(())
            }
            WriterStep::Restart => {
                state.writers[writer].wait = None;
                self.reread(&mut state.writers[writer], state.log.length());
                Some(())
            }
        }
    }

    /// Whether a writer may answer now.
    pub(crate) fn may_answer(&self, state: &State, writer: &Writer, wait: Wait) -> bool {
        let run_out = match self.left_out {
            Some(Rule::SlowPath) => false,
            Some(Rule::SlowPathRegardless) => wait.age.min(writer.fresh) >= self.earliest_end(),
            _ => wait.age >= self.earliest_end(),
        };
        run_out || self.is_reached(state, writer, wait)
    }

    /// The fast path: whether everybody who might serve has reached the version, by what this writer knows.
    pub(crate) fn is_reached(&self, state: &State, writer: &Writer, wait: Wait) -> bool {
        let seen = state.log.version_at(writer.applied) >= wait.version;
        let acquainted = writer.fresh >= self.earliest_end();
        let reached = |id: Id| {
            let place = usize::from(id);
            let may_serve = match state.log.standing(id, writer.applied, self.bounds.nodes) {
                Standing::Absent => false,
                Standing::Deleted => writer.deleted[place].is_some(),
                Standing::Registered => true,
            };
            !may_serve || state.acknowledged[place] >= wait.version
        };
        (seen || !self.keeps(Rule::RegistryAsOfCommit)) && acquainted && (0..self.bounds.ids).all(reached)
    }

    fn answer(&self, state: &mut State, writer: usize) -> Option<()> {
        let wait = state.writers[writer].wait?;
        if !self.may_answer(state, &state.writers[writer], wait) {
            return None;
        }
        state.writers[writer].wait = None;
        state.returned = state.returned.max(wait.version);
        Some(())
    }

    fn commit(&self, state: &mut State, writer: usize) -> Option<()> {
        let head = state.log.head();
        if state.writers[writer].wait.is_some() || head == self.bounds.commits {
            return None;
        }
        state.log.push(Event::Commit);
        // Without the rule, the request took a tick.
        let age = u8::from(!self.keeps(Rule::WaitFromAnswer));
        state.writers[writer].wait = Some(Wait { version: head + 1, age });
        Some(())
    }

    fn follow(&self, state: &mut State, writer: usize) -> Option<()> {
        let event = state.log.after(state.writers[writer].applied)?;
        let writer = &mut state.writers[writer];
        writer.applied += 1;
        if let Event::Deleted(id) = event
            && self.keeps(Rule::DeletionGrace)
        {
            writer.deleted[usize::from(id)] = Some(0);
        }
        Some(())
    }

    fn repeat(&self, state: &mut State, writer: usize) -> Option<()> {
        let version = state.log.head();
        if state.writers[writer].wait.is_some() || version <= state.returned {
            return None;
        }
        if self.keeps(Rule::RepeatWaits) {
            state.writers[writer].wait = Some(Wait { version, age: 0 });
        } else {
            state.returned = version;
        }
        Some(())
    }

    fn reread(&self, writer: &mut Writer, revision: u8) {
        writer.applied = revision;
        writer.deleted = [None; MOST_IDS];
        writer.fresh = match self.left_out {
            Some(Rule::FreshRegistryGrace) => self.earliest_end(),
            // Without the rule, the read took a tick.
            Some(Rule::GraceFromAnswer) => 1,
            _ => 0,
        };
    }
}
