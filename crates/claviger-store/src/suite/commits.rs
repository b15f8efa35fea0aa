//! Batches: expectations, atomicity, limits, and many at once.

use std::sync::Arc;

use super::{commit, everything, is_conflict, only_if, put, value, version};
use crate::limits::{BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX};
use crate::{Batch, Engine, Expect, Limit, Scan, StoreError, Tx, Version};

pub(super) async fn versions_grow(engine: &dyn Engine) {
    let mut last = 0;
    for n in 0..20 {
        let version = commit(engine, put(&[("a", &n.to_string())])).await;
        assert!(version > last, "{version} after {last}");
        assert_eq!(super::version(engine, "a").await, version);
        last = version;
    }
    assert_eq!(engine.stats().commits, 20);
}

pub(super) async fn expectations_decide(engine: &dyn Engine) {
    let first = commit(engine, put(&[("old", "1")])).await;
    let second = commit(engine, put(&[("old", "2"), ("other", "1")])).await;
    let cases = [
        ("new", Expect::Absent, true),
        ("old", Expect::Absent, false),
        ("old", Expect::Version(second), true),
        ("old", Expect::Version(first), false),
        ("old", Expect::Version(second + 1), false),
        ("new", Expect::Version(second), false),
        ("new", Expect::Version(0), false),
        ("old", Expect::Version(0), false),
    ];
    for (key, expect, met) in cases {
        let outcome = engine.commit(only_if(key, expect, put(&[("mark", "x")]))).await;
        assert_eq!(is_conflict(&outcome), !met, "{key} as {expect:?}: {outcome:?}");
    }

    let both = |one, two| Batch {
        expect: vec![(b"old".to_vec(), one), (b"other".to_vec(), two)],
        ..put(&[("old", "3")])
    };
    assert!(is_conflict(&engine.commit(both(Expect::Version(second), Expect::Absent)).await));
    assert!(is_conflict(&engine.commit(both(Expect::Version(first), Expect::Version(second))).await));
    commit(engine, both(Expect::Version(second), Expect::Version(second))).await;
    assert_eq!(value(engine, "old").await.as_deref(), Some("3"));
}

pub(super) async fn a_conflict_leaves_nothing(engine: &dyn Engine) {
    let version = commit(engine, put(&[("a", "1"), ("b", "1")])).await;
    let mut batch = put(&[("a", "2"), ("new", "2")]);
    batch.put.push((b"b".to_vec(), None));
    assert!(is_conflict(&engine.commit(only_if("b", Expect::Absent, batch.clone())).await));
    assert_eq!(everything(engine).await, ["a=1", "b=1"]);
    assert!(engine.get(b"a").await.expect("it reads").at >= version);
    assert_eq!((engine.stats().commits, engine.stats().conflicts), (1, 1));

    commit(engine, only_if("b", Expect::Version(version), batch)).await;
    assert_eq!(everything(engine).await, ["a=2", "new=2"]);
}

pub(super) async fn a_batch_that_puts_nothing_only_checks(engine: &dyn Engine) {
    let before = commit(engine, Batch::default()).await;
    let version = commit(engine, put(&[("a", "1")])).await;
    assert!(version > before);
    assert!(commit(engine, only_if("a", Expect::Version(version), Batch::default())).await >= version);
    assert!(is_conflict(&engine.commit(only_if("a", Expect::Absent, Batch::default())).await));
    assert_eq!(super::version(engine, "a").await, version);
    assert_eq!(engine.stats().commits, 1);
}

pub(super) async fn of_two_puts_of_a_key_the_later_counts(engine: &dyn Engine) {
    commit(engine, put(&[("a", "1"), ("b", "1"), ("a", "2")])).await;
    assert_eq!(everything(engine).await, ["a=2", "b=1"]);
    let mut batch = put(&[("a", "3"), ("b", "2")]);
    batch.put.push((b"a".to_vec(), None));
    commit(engine, batch).await;
    assert_eq!(everything(engine).await, ["b=2"]);
}

pub(super) async fn limits_are_kept(engine: &dyn Engine) {
    let one =
        |key: usize, value: usize| Batch { expect: vec![], put: vec![(vec![1; key], Some(vec![2; value]))] };
    let large = |value: usize| Batch {
        expect: vec![],
        put: (0..4).map(|n| (vec![n], Some(vec![2; value]))).collect(),
    };
    let over = BATCH_ENTRIES_MAX + 1;
    let refused = [
        (one(0, 1), Limit::KeyBytes),
        (one(KEY_BYTES_MAX + 1, 1), Limit::KeyBytes),
        (Batch { expect: vec![], put: vec![(vec![], None)] }, Limit::KeyBytes),
        (one(1, VALUE_BYTES_MAX + 1), Limit::ValueBytes),
        (large(BATCH_BYTES_MAX / 4), Limit::BatchBytes),
        (
            Batch { expect: vec![(vec![1; BATCH_BYTES_MAX + 1], Expect::Absent)], put: vec![] },
            Limit::BatchBytes,
        ),
        (Batch { expect: vec![], put: vec![(vec![1], None); over] }, Limit::BatchEntries),
        (Batch { expect: vec![(vec![1], Expect::Absent); over], put: vec![] }, Limit::BatchEntries),
    ];
    for (batch, limit) in refused {
        assert_eq!(engine.commit(batch).await, Err(StoreError::Limit(limit)));
    }
    assert_eq!(everything(engine).await.len(), 0);

    commit(engine, one(KEY_BYTES_MAX, VALUE_BYTES_MAX)).await;
    commit(engine, large(BATCH_BYTES_MAX / 4 - 1)).await;
    assert_eq!(engine.scan(Scan::forward(b"", 10)).await.expect("it scans").entries.len(), 5);
}

pub(super) async fn one_of_many_wins(engine: Arc<dyn Engine>) {
    for round in 0..10 {
        let claim = |n: usize| {
            let (engine, key) = (Arc::clone(&engine), format!("round {round}"));
            async move {
                let claim = only_if(
                    &key,
                    Expect::Absent,
                    put(&[(&key, &n.to_string()), (&format!("{key} {n}"), "")]),
                );
                engine.commit(claim).await
            }
        };
        let claims: Vec<_> = (0..32).map(|n| tokio::spawn(claim(n))).collect();
        let mut winners = Vec::new();
        for (n, claim) in claims.into_iter().enumerate() {
            match claim.await.expect("it does not panic") {
                Ok(_) => winners.push(n),
                Err(error) => assert_eq!(error, StoreError::Conflict),
            }
        }
        let [winner] = winners[..] else { panic!("{winners:?} all won round {round}") };
        let page =
            engine.scan(Scan::forward(format!("round {round}").as_bytes(), 10)).await.expect("it scans");
        let found: Vec<String> = page.entries.iter().map(super::show).collect();
        assert_eq!(found, [format!("round {round}={winner}"), format!("round {round} {winner}=")]);
    }
}

pub(super) async fn a_counter_counts_every_increment(engine: Arc<dyn Engine>) {
    const TASKS: usize = 64;
    const INCREMENTS: usize = 4;
    let increment = |engine: Arc<dyn Engine>| async move {
        for _ in 0..INCREMENTS {
            while let Err(error) = add_one(&*engine).await {
                assert_eq!(error, StoreError::Conflict);
                tokio::task::yield_now().await;
            }
        }
    };
    let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(increment(Arc::clone(&engine)))).collect();
    for task in tasks {
        task.await.expect("it does not panic");
    }
    assert_eq!(value(&*engine, "count").await, Some((TASKS * INCREMENTS).to_string()));
}

/// One writer replaces one record, so what a reader must see follows from the versions.
pub(super) async fn a_read_reflects_everything_up_to_its_commit(engine: Arc<dyn Engine>) {
    let writer = Arc::clone(&engine);
    let writing = tokio::spawn(async move {
        let mut versions: Vec<Version> = Vec::new();
        for n in 0..200 {
            versions.push(commit(&*writer, put(&[("a", &n.to_string())])).await);
        }
        versions
    });
    let mut seen = Vec::new();
    while !writing.is_finished() {
        let read = engine.get(b"a").await.expect("it reads");
        let wrote = read.stored.map_or(0, |stored| stored.version);
        assert!(wrote <= read.at, "a read at {} saw commit {wrote}", read.at);
        seen.push((wrote, read.at));
        tokio::task::yield_now().await;
    }
    let versions = writing.await.expect("it does not panic");
    for (wrote, at) in seen {
        let newest = versions.iter().rfind(|version| **version <= at).copied().unwrap_or(0);
        assert!(wrote >= newest, "a read at {at} saw {wrote}, not {newest}");
    }
    assert_eq!(version(&*engine, "a").await, *versions.last().expect("it wrote"));
}

async fn add_one(engine: &dyn Engine) -> Result<Option<Version>, StoreError> {
    let mut tx = Tx::new(engine);
    let count: usize = match tx.get(b"count").await? {
        Some(bytes) => super::text(&bytes).parse().expect("it is a number"),
        None => 0,
    };
    tx.put("count", (count + 1).to_string());
    tx.commit().await
}
