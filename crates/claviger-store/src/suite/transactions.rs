//! [`Tx`] over the engine.

use super::{commit, everything, put, version};
use crate::{Engine, Expect, StoreError, Tx};

pub(super) async fn reads_see_own_writes(engine: &dyn Engine) {
    commit(engine, put(&[("a", "1"), ("b", "1")])).await;
    let mut tx = Tx::new(engine);
    tx.put("a", "2");
    tx.delete("b");
    tx.put("c", "2");
    for (key, expected) in [("a", Some("2")), ("b", None), ("c", Some("2")), ("d", None)] {
        let found = tx.get(key.as_bytes()).await.expect("it reads");
        assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{key}");
    }
    assert_eq!(everything(engine).await, ["a=1", "b=1"], "nothing happens before the commit");
    let committed = tx.commit().await.expect("nothing stands against it");
    assert_eq!(everything(engine).await, ["a=2", "c=2"]);
    assert_eq!(committed, Some(version(engine, "a").await));
}

pub(super) async fn what_was_read_must_still_hold(engine: &dyn Engine) {
    // What is there first, what the transaction reads, what another changes meanwhile, and whether it may commit.
    let cases = [
        ("x", "x", "y", true),
        ("x", "x", "x", false),
        ("x", "z", "y", true),
        ("x", "z", "z", false),
        ("x", "x", "z", true),
    ];
    for (there, read, changed, commits) in cases {
        commit(engine, clear()).await;
        commit(engine, put(&[(there, "1")])).await;
        let mut tx = Tx::new(engine);
        let first = tx.get(read.as_bytes()).await.expect("it reads");
        commit(engine, put(&[(changed, "2")])).await;
        assert_eq!(tx.get(read.as_bytes()).await.expect("it reads"), first, "reads repeat");
        tx.put("written", "yes");
        let outcome = tx.commit().await;
        assert_eq!(outcome.is_ok(), commits, "{there} read {read} changed {changed}: {outcome:?}");
        if let Err(error) = outcome {
            assert_eq!(error, StoreError::Conflict);
        }
    }
}

pub(super) async fn what_was_expected_must_hold(engine: &dyn Engine) {
    let version = commit(engine, put(&[("there", "1")])).await;
    let cases = [
        ("there", Expect::Absent, false),
        ("new", Expect::Absent, true),
        ("there", Expect::Version(version), true),
        ("there", Expect::Version(version + 1), false),
    ];
    for (key, expect, met) in cases {
        let mut tx = Tx::new(engine);
        match expect {
            Expect::Absent => tx.expect_absent(key),
            Expect::Version(_) => tx.expect(key, expect),
        }
        tx.put("mark", "");
        assert_eq!(tx.commit().await.is_ok(), met, "{key} as {expect:?}");
    }

    let mut tx = Tx::new(engine);
    tx.get(b"there").await.expect("it reads");
    tx.expect_absent("there");
    tx.put("mark", "");
    assert_eq!(tx.commit().await, Err(StoreError::Conflict), "read and expected absent");
}

pub(super) async fn without_writes_nothing_is_committed(engine: &dyn Engine) {
    let version = commit(engine, put(&[("a", "1")])).await;
    let mut tx = Tx::new(engine);
    assert!(tx.is_empty());
    tx.get(b"a").await.expect("it reads");
    tx.expect_absent("a");
    assert!(tx.is_empty());
    assert_eq!(tx.commit().await, Ok(None));
    assert_eq!(super::version(engine, "a").await, version);
    assert_eq!(engine.stats().commits, 1);

    let mut tx = Tx::new(engine);
    tx.get(b"a").await.expect("it reads");
    tx.get(b"b").await.expect("it reads");
    tx.delete("a");
    assert!(!tx.is_empty());
    let batch = tx.into_batch();
    let expected = [(b"a".to_vec(), Expect::Version(version)), (b"b".to_vec(), Expect::Absent)];
    assert_eq!(
        (batch.expect.as_slice(), batch.put.as_slice()),
        (&expected[..], &[(b"a".to_vec(), None)][..])
    );
}

fn clear() -> crate::Batch {
    let gone = ["x", "y", "z", "written"].map(|key| (key.as_bytes().to_vec(), None));
    crate::Batch { expect: Vec::new(), put: gone.to_vec() }
}
