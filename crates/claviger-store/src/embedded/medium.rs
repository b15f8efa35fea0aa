//! A medium in memory that records what is done to it, loses power, and fails on demand.

use std::io;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

/// The unit a disk writes whole.
const SECTOR_BYTES: usize = 512;

/// Bytes shared by every clone, as a file is by every handle.
#[derive(Clone, Debug, Default)]
pub(super) struct TestMedium(Arc<Mutex<State>>);

impl TestMedium {
    /// A medium that holds `bytes`.
    pub(super) fn holding(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State { bytes, ..State::default() })))
    }

    /// How many changes and syncs were asked for so far.
    pub(super) fn ops(&self) -> usize {
        self.state().log.len()
    }

    /// Everything asked for so far.
    pub(super) fn log(&self) -> Vec<Op> {
        self.state().log.clone()
    }

    /// What it holds now.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.state().bytes.clone()
    }

    /// Replaces what it holds.
    pub(super) fn set_bytes(&self, bytes: Vec<u8>) {
        self.state().bytes = bytes;
    }

    /// Makes ops fail as `fault` says, from now on.
    pub(super) fn set_fault(&self, fault: Fault) {
        let mut state = self.state();
        state.fault = fault;
        state.failed = false;
    }

    /// Whether an op failed since the fault was set.
    pub(super) fn failed(&self) -> bool {
        self.state().failed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, op: Op) -> io::Result<()> {
        let mut state = self.state();
        let n = state.log.len();
        let fails = match state.fault {
            Fault::None => false,
            Fault::Once(at) => n == at,
            Fault::From(at) => n >= at,
        };
        state.log.push(op.clone());
        if !fails {
            op.apply(&mut state.bytes);
            return Ok(());
        }
        state.failed = true;
        // A failing write may have written some of it.
        if let Op::Write { offset, data } = op {
            let kept = data.len() / 2;
            Op::Write { offset, data: data[..kept].to_vec() }.apply(&mut state.bytes);
        }
        Err(io::Error::other("the test medium fails"))
    }
}

impl StorageBackend for TestMedium {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let start = position(offset);
        let found = state.bytes.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.run(Op::SetLen(position(len)))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.run(Op::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.run(Op::Write { offset: position(offset), data: data.to_vec() })
    }
}

/// Which ops fail, by their number in the log.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Fault {
    #[default]
    None,
    /// Only this one.
    Once(usize),
    /// This one and all after it.
    From(usize),
}

/// One thing asked of the medium.
#[derive(Clone, Debug)]
pub(super) enum Op {
    SetLen(usize),
    Sync,
    Write { offset: usize, data: Vec<u8> },
}

impl Op {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::SetLen(len) => bytes.resize(*len, 0),
            Self::Sync => {}
            Self::Write { offset, data } => {
                let end = offset + data.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(data);
            }
        }
    }

    /// Does what a power cut leaves of an op that was not synced: all, nothing, or any of its sectors.
    fn apply_in_part(&self, bytes: &mut Vec<u8>, chance: &mut Chance) {
        match (chance.below(3), self) {
            (0, _) => {}
            (1, Self::Write { offset, data }) => {
                for (n, sector) in data.chunks(SECTOR_BYTES).enumerate() {
                    if chance.below(2) == 0 {
                        Self::Write { offset: offset + n * SECTOR_BYTES, data: sector.to_vec() }.apply(bytes);
                    }
                }
            }
            (_, op) => op.apply(bytes),
        }
    }
}

/// Walks through a log, and tells at each step what a power cut there may leave.
pub(super) struct PowerCuts {
    durable: Vec<u8>,
    pending: Vec<Op>,
}

impl PowerCuts {
    /// Cuts from the start of a log of ops on a medium that held `bytes`.
    pub(super) fn over(bytes: Vec<u8>) -> Self {
        Self { durable: bytes, pending: Vec::new() }
    }

    /// What a cut after the steps so far leaves: everything synced, and of the rest what chance decides.
    pub(super) fn cut(&self, chance: &mut Chance) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for op in &self.pending {
            op.apply_in_part(&mut bytes, chance);
        }
        bytes
    }

    /// Goes on past `op`.
    pub(super) fn step(&mut self, op: &Op) {
        match op {
            Op::Sync => {
                for op in mem::take(&mut self.pending) {
                    op.apply(&mut self.durable);
                }
            }
            Op::SetLen(_) | Op::Write { .. } => self.pending.push(op.clone()),
        }
    }
}

/// Chance from a seed (`SplitMix64`), so that a failure repeats.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 up to, not including, `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    log: Vec<Op>,
    fault: Fault,
    failed: bool,
}

fn position(offset: u64) -> usize {
    usize::try_from(offset).expect("a test medium fits in memory")
}
