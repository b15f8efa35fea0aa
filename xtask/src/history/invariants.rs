//! Two things that must hold, looked for directly. The linearizability check implies the first; two ways to find one
//! mistake are better than one.

use std::time::Duration;

use super::{OFF, ON, Object, Op};

/// Readings of [`ON`] that began after a revocation had returned and before anybody tried to take it back.
pub fn revoked(ops: &[Op]) -> Vec<String> {
    if ops.iter().any(|op| matches!(op.object, Object::Tag(_))) {
        return Vec::new();
    }
    let mut revocations: Vec<(Duration, &Op)> =
        ops.iter().filter(|op| op.written() == Some(OFF)).filter_map(|op| Some((op.end?, op))).collect();
    revocations.sort_by_key(|(end, _)| *end);
    let restorations: Vec<&Op> = ops.iter().filter(|op| op.written() == Some(ON)).collect();
    let mut found = Vec::new();
    for read in ops.iter().filter(|op| op.read() == Some(ON)) {
        let before = revocations.partition_point(|(end, _)| *end < read.start);
        let Some((_, revocation)) = before.checked_sub(1).and_then(|last| revocations.get(last)) else {
            continue;
        };
        let taken_back = restorations
            .iter()
            .any(|write| !write.ended_before(revocation.start) && Some(write.start) <= read.end);
        if !taken_back {
            found.push(format!(
                "{:?} was honoured after its revocation\n      {revocation}\n      {read}",
                read.object
            ));
        }
    }
    found
}

/// What the last state of an object says against its acknowledged writes: nothing, where it is the last of them or one
/// that nobody heard of.
pub fn kept(ops: &[Op], last: u64) -> Option<String> {
    let writes = || ops.iter().filter(|op| op.written().is_some());
    let explains = |write: &Op| {
        let later = |other: &&Op| write.end.is_some_and(|end| end < other.start) && other.end.is_some();
        write.written() == Some(last) && writes().all(|other| !later(&other))
    };
    let untouched = last == ON && writes().all(|write| write.end.is_none());
    if untouched || writes().any(explains) {
        return None;
    }
    let acknowledged = writes().filter(|write| write.end.is_some()).max_by_key(|write| write.end);
    let object = ops.first().map(|op| op.object);
    let told = acknowledged.map_or_else(|| "nothing was acknowledged".to_owned(), ToString::to_string);
    Some(format!("an acknowledged write is lost: {object:?} is {last} at the end\n      {told}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Act, OFF, ON, Object, Op};
    use super::{kept, revoked};
    use Act::{Read, Write};

    /// An operation in milliseconds: its start, its end, or 0 where that is unknown, and what it was.
    type Written = (u64, u64, Act);

    fn history(ops: &[Written]) -> Vec<Op> {
        let one = |&(start, end, act): &Written| Op {
            object: Object::Key(0),
            node: 0,
            act,
            start: Duration::from_millis(start),
            end: (end > 0).then(|| Duration::from_millis(end)),
        };
        ops.iter().map(one).collect()
    }

    #[test]
    fn revocations() {
        let cases: &[(&[Written], usize)] = &[
            (&[(1, 3, Write(OFF)), (2, 5, Read(ON))], 0),
            (&[(1, 3, Write(OFF)), (4, 5, Read(ON))], 1),
            (&[(1, 3, Write(OFF)), (4, 5, Write(ON)), (6, 7, Read(ON))], 0),
            (&[(1, 3, Write(OFF)), (6, 7, Read(ON)), (8, 9, Write(ON))], 1),
            // Whether it was taken back is not known, so nothing is.
            (&[(1, 3, Write(OFF)), (4, 0, Write(ON)), (6, 7, Read(ON))], 0),
            (&[(1, 2, Write(ON)), (3, 4, Write(OFF)), (6, 7, Read(ON)), (6, 7, Read(ON))], 2),
            // One that nobody heard of proves nothing.
            (&[(1, 0, Write(OFF)), (4, 5, Read(ON))], 0),
        ];
        for (case, expected) in cases {
            assert_eq!(revoked(&history(case)).len(), *expected, "{case:?}");
        }
    }

    #[test]
    fn last_states() {
        let cases: &[(&[Written], u64, bool)] = &[
            (&[], ON, true),
            (&[(1, 2, Write(5))], 5, true),
            (&[(1, 2, Write(5))], ON, false),
            (&[(1, 2, Write(5)), (3, 4, Write(6))], 6, true),
            (&[(1, 2, Write(5)), (3, 4, Write(6))], 5, false),
            (&[(1, 4, Write(5)), (2, 3, Write(6))], 5, true),
            (&[(1, 4, Write(5)), (2, 3, Write(6))], 6, true),
            (&[(1, 0, Write(5)), (2, 3, Write(6))], 5, true),
            (&[(1, 2, Write(5)), (3, 0, Write(6))], 5, true),
            (&[(1, 2, Write(5))], 9, false),
            (&[(1, 0, Write(5))], ON, true),
        ];
        for (case, last, right) in cases {
            assert_eq!(kept(&history(case), *last).is_none(), *right, "{case:?} then {last}");
        }
    }
}
