//! The life of a key, as tables.

use super::*;

pub(crate) fn key(state: KeyState, origin: Origin) -> Key {
    let material = Sealed(vec![1]);
    let has_material = state != KeyState::PendingImport;
    Key {
        v: 1,
        id: KeyId([7; 16]),
        account: AccountId(1),
        region: RegionId::parse("local").expect("a good name"),
        creator: UserId(1),
        alias: "a".into(),
        description: String::new(),
        spec: KeySpec::Aes256,
        origin,
        state,
        created: Moment::from_millis(0),
        deletion: (state == KeyState::PendingDeletion).then(|| Moment::from_seconds(100)),
        expires: None,
        tags: Vec::new(),
        bindings: 0,
        versions: has_material
            .then(|| KeyVersion { number: 1, created: Moment::default(), material })
            .into_iter()
            .collect(),
        imported: None,
    }
}

type Step = fn(&mut Key) -> Result<(), Fault>;
/// A step's name, the step, the key's origin, and what comes of it in each state.
type Row = (&'static str, Step, Origin, [Result<KeyState, KeyFault>; 4]);

/// Every step from every state, free and bound: the whole life as a table.
#[test]
fn the_life_of_a_key() {
    use KeyFault::{AlreadyPendingDeletion, InUse, NotExternal, NotPendingDeletion, StateForbids};
    use KeyState::{Disabled, Enabled, PendingDeletion, PendingImport};
    let enable: Step = |key| key.enable().map(drop);
    let disable: Step = |key| key.disable().map(drop);
    let schedule: Step = |key| key.schedule_deletion(Moment::from_seconds(10), 7).map(drop);
    let cancel: Step = |key| key.cancel_deletion(Moment::from_seconds(10));
    let strip: Step = Key::delete_material;
    let hold: Step = Key::hold;
    let import: Step = |key| key.import(Sealed(vec![2]), Moment::from_seconds(10), None);
    let states = [Enabled, Disabled, PendingDeletion, PendingImport];
    let rows: [Row; 8] = [
        (
            "enable",
            enable,
            Origin::Internal,
            [Ok(Enabled), Ok(Enabled), Err(StateForbids), Err(StateForbids)],
        ),
        (
            "disable",
            disable,
            Origin::Internal,
            [Ok(Disabled), Ok(Disabled), Err(StateForbids), Err(StateForbids)],
        ),
        (
            "schedule",
            schedule,
            Origin::Internal,
            [Ok(PendingDeletion), Ok(PendingDeletion), Err(AlreadyPendingDeletion), Ok(PendingDeletion)],
        ),
        (
            "cancel",
            cancel,
            Origin::Internal,
            [Err(NotPendingDeletion), Err(NotPendingDeletion), Ok(Disabled), Err(NotPendingDeletion)],
        ),
        ("strip ours", strip, Origin::Internal, [Err(NotExternal); 4]),
        (
            "strip theirs",
            strip,
            Origin::External,
            [Ok(PendingImport), Ok(PendingImport), Err(StateForbids), Err(StateForbids)],
        ),
        (
            "hold",
            hold,
            Origin::Internal,
            [Ok(Enabled), Err(StateForbids), Err(StateForbids), Err(StateForbids)],
        ),
        (
            "import",
            import,
            Origin::External,
            [Ok(Enabled), Err(StateForbids), Err(StateForbids), Ok(Enabled)],
        ),
    ];
    for (name, step, origin, expected) in rows {
        for (state, expected) in states.iter().zip(expected) {
            let mut key = key(*state, origin);
            let outcome = step(&mut key).map(|()| key.state);
            assert_eq!(outcome, expected.map_err(Fault::Key), "{name} from {state:?}");
        }
    }
    for (name, step) in [("disable", disable), ("schedule", schedule), ("strip", strip)] {
        let mut key = key(Enabled, Origin::External);
        key.bindings = 1;
        assert_eq!(step(&mut key), Err(InUse.into()), "{name} while bound");
        assert_eq!(key.state, Enabled);
    }
}

#[test]
fn time_takes_keys_and_material() {
    let mut doomed = key(KeyState::PendingDeletion, Origin::Internal);
    doomed.deletion = Some(Moment::from_seconds(100));
    assert!(doomed.clone().settle(Moment::from_millis(99_999)).is_some());
    assert!(doomed.settle(Moment::from_seconds(100)).is_none());

    let mut lent = key(KeyState::Enabled, Origin::External);
    lent.expires = Some(Moment::from_seconds(100));
    let before = lent.clone().settle(Moment::from_millis(99_999));
    assert_eq!(before.map(|key| key.state), Some(KeyState::Enabled));
    let after = lent.clone().settle(Moment::from_seconds(100)).expect("only its material goes");
    assert_eq!((after.state, after.versions.len()), (KeyState::PendingImport, 0));

    lent.hold().expect("an enabled key can be bound");
    assert_eq!(lent.expires, None, "a bound key never expires");
    lent.import(Sealed(vec![3]), Moment::from_seconds(1), Some(Moment::from_seconds(50))).expect("re-import");
    assert_eq!(lent.expires, None, "not through a new import either");
}

#[test]
fn a_cancelled_key_without_material_awaits_import() {
    let mut key = key(KeyState::PendingImport, Origin::External);
    key.schedule_deletion(Moment::default(), 7).expect("from any state");
    key.cancel_deletion(Moment::default()).expect("pending");
    assert_eq!(key.state, KeyState::PendingImport);
}

#[test]
fn windows_are_bounded() {
    for (days, good) in [(6, false), (7, true), (1096, true), (1097, false)] {
        let outcome = key(KeyState::Disabled, Origin::Internal).schedule_deletion(Moment::default(), days);
        assert_eq!(outcome.is_ok(), good, "{days}");
    }
}
