//! Whether a history is one that may be.

use std::collections::BTreeSet;

use crate::history::Call;
use crate::node::Stage;
use crate::operation::{DUE, Operation, Outcome, Position, Signer, Switch};
use crate::perform::{created_id, due_id};

/// What one node has said in the end, of every key by everybody.
pub(crate) type View = Vec<(Operation, Option<Outcome>)>;

/// Judges a whole run.
pub(crate) fn judge(stage: &Stage, views: &[View]) {
    let calls = stage.history.calls();
    for breach in revocations(&calls).into_iter().chain(tags(&calls)).chain(ends(&calls, views)) {
        stage.history.breach(breach);
    }
    created(stage, &calls);
    due(stage);
}

/// After a revocation has returned nothing that starts is allowed any more, unless somebody may have allowed it again.
fn revocations(calls: &[Call]) -> Vec<String> {
    let mut breaches = Vec::new();
    for used in calls.iter().filter(|call| is_allowed_use(call)) {
        for switch in switches(used.operation) {
            let revoked = calls.iter().filter(|call| {
                call.operation == Operation::Turn { switch, to: Position::Off }
                    && acknowledged(call).is_some_and(|end| end < used.start)
            });
            for revoked in revoked {
                let restored = calls.iter().any(|call| {
                    call.operation == Operation::Turn { switch, to: Position::On }
                        && may_be_done(call)
                        && call.start < end(used)
                        && end(call) > revoked.start
                });
                if !restored {
                    breaches.push(format!(
                        "node {} allowed line {} although line {} had turned {switch:?} off",
                        used.node,
                        used.start,
                        end(revoked)
                    ));
                }
            }
        }
    }
    breaches
}

/// What a use sees of each writer is at least what that writer had been told was written, and nothing it never wrote.
fn tags(calls: &[Call]) -> Vec<String> {
    let mut breaches = Vec::new();
    for used in calls {
        let (Operation::Use { key, .. }, Some((_, Outcome::Done(seen)))) = (used.operation, &used.end) else {
            continue;
        };
        let writes = |call: &&Call| matches!(call.operation, Operation::Write { key: on, .. } if on == key);
        for call in calls.iter().filter(writes) {
            let Operation::Write { writer, number, .. } = call.operation else { continue };
            let newest = seen.get(&writer).copied().unwrap_or(0);
            if acknowledged(call).is_some_and(|end| end < used.start) && newest < number {
                breaches.push(format!(
                    "node {} saw {newest} of writer {writer} in line {}, who had written {number} by line {}",
                    used.node,
                    end(used),
                    end(call)
                ));
            }
            if newest == number && call.start > end(used) {
                breaches.push(format!(
                    "line {} saw what was written later, in line {}",
                    end(used),
                    call.start
                ));
            }
        }
    }
    breaches
}

/// In the end all nodes say the same, and it is what the last turns left.
fn ends(calls: &[Call], views: &[View]) -> Vec<String> {
    let mut breaches = Vec::new();
    for view in views {
        if Some(view) != views.first() {
            breaches.push(format!("in the end nodes differ: {view:?} and {:?}", views.first()));
        }
        for (used, outcome) in view {
            let allowed = match outcome {
                Some(Outcome::Done(_)) => Position::On,
                Some(Outcome::Denied) => Position::Off,
                other => {
                    breaches.push(format!("in the end {used:?} gave {other:?}"));
                    continue;
                }
            };
            let left: Vec<BTreeSet<Position>> =
                switches(*used).into_iter().map(|switch| left(calls, switch)).collect();
            let may_be = match allowed {
                Position::Off => left.iter().any(|left| left.contains(&Position::Off)),
                Position::On => left.iter().all(|left| left.contains(&Position::On)),
            };
            if !may_be {
                breaches.push(format!("in the end {used:?} gave {outcome:?}, but turns left {left:?}"));
            }
        }
    }
    breaches
}

/// How a switch may stand after all turns: as one left it that no acknowledged one came after.
fn left(calls: &[Call], switch: Switch) -> BTreeSet<Position> {
    let turns: Vec<(&Call, Position)> = calls
        .iter()
        .filter(|call| may_be_done(call))
        .filter_map(|call| match call.operation {
            Operation::Turn { switch: of, to } if of == switch => Some((call, to)),
            _ => None,
        })
        .collect();
    let acknowledged_after =
        |turn: &Call| turns.iter().any(|(later, _)| acknowledged(later).is_some() && later.start > end(turn));
    let mut left: BTreeSet<Position> =
        turns.iter().filter(|(turn, _)| !acknowledged_after(turn)).map(|(_, to)| *to).collect();
    if !turns.iter().any(|(turn, _)| acknowledged(turn).is_some()) {
        left.insert(Position::On);
    }
    left
}

/// Keys whose creation was acknowledged are stored.
fn created(stage: &Stage, calls: &[Call]) {
    for call in calls {
        if let (Operation::Create { number }, Some(_)) = (call.operation, acknowledged(call))
            && !is_stored(stage, &created_id(number).0)
        {
            stage.history.breach(format!("the key made by line {} is not there", end(call)));
        }
    }
}

/// What was due was done once.
fn due(stage: &Stage) {
    for number in 0..DUE {
        if is_stored(stage, &due_id(number).0) {
            stage.history.breach(format!("due key {number} is still there"));
        }
    }
    let tally = stage.history.tally();
    let known = tally.crashes == 0 && tally.stops == 0 && tally.sweeps_unknown == 0;
    if tally.settled > DUE as u64 || (known && tally.settled < DUE as u64) {
        stage.history.breach(format!("{DUE} keys were due, and sweeps settled {}", tally.settled));
    }
}

fn is_stored(stage: &Stage, id: &[u8]) -> bool {
    stage.etcd.keys("claviger/d/").iter().any(|key| key.windows(id.len()).any(|part| part == id))
}

fn switches(operation: Operation) -> Vec<Switch> {
    match operation {
        Operation::Use { key, signer: Signer::Root } => vec![Switch::Key(key)],
        Operation::Use { key, signer: Signer::User(number) } => {
            vec![Switch::Key(key), Switch::AccessKey(number), Switch::Policy]
        }
        _ => Vec::new(),
    }
}

fn is_allowed_use(call: &Call) -> bool {
    matches!((call.operation, &call.end), (Operation::Use { .. }, Some((_, Outcome::Done(_)))))
}

/// Where it was acknowledged, if it was.
fn acknowledged(call: &Call) -> Option<usize> {
    match &call.end {
        Some((end, Outcome::Done(_))) => Some(*end),
        _ => None,
    }
}

/// Whether it may have taken effect.
fn may_be_done(call: &Call) -> bool {
    matches!(&call.end, None | Some((_, Outcome::Done(_) | Outcome::Unknown(_))))
}

/// Until when it may take effect.
fn end(call: &Call) -> usize {
    match &call.end {
        Some((end, Outcome::Unknown(_))) if !matches!(call.operation, Operation::Use { .. }) => {
            end.max(&usize::MAX).to_owned()
        }
        Some((end, _)) => *end,
        None => usize::MAX,
    }
}
