//! What observers hear, and when.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::{Heard, PATIENCE, by_key, commit, is_conflict, only_if, put, value};
use crate::{Batch, Engine, Expect};

pub(super) async fn told_in_order_before_the_answer(engine: &dyn Engine) {
    commit(engine, put(&[("gone 0", "")])).await;
    let (one, two) = (Heard::on(engine), Heard::on(engine));
    let mut expected = Vec::new();
    for n in 0..20 {
        let (a, b) = (n.to_string(), format!("gone {}", n + 1));
        let mut batch = put(&[("a", &a), (&b, "")]);
        batch.put.push((format!("gone {n}").into_bytes(), None));
        let version = commit(engine, batch).await;
        expected.push((version, vec!["a".to_owned(), b, format!("gone {n}")]));
        assert_eq!(one.all(), expected);
    }
    assert_eq!(two.all(), expected);
}

pub(super) async fn never_told_of_a_conflict(engine: Arc<dyn Engine>) {
    let heard = Heard::on(&*engine);
    // All at once, so that engines that group commits have winners and losers in one group.
    let claim = |n: usize| {
        let engine = Arc::clone(&engine);
        let own = format!("own {n}");
        let key = format!("slot {}", n % 8);
        async move {
            let outcome = engine.commit(only_if(&key, Expect::Absent, put(&[(&key, ""), (&own, "")]))).await;
            (vec![key, own], outcome)
        }
    };
    let claims: Vec<_> = (0..64).map(|n| tokio::spawn(claim(n))).collect();
    let mut committed = Vec::new();
    for claim in claims {
        let (keys, outcome) = claim.await.expect("it does not panic");
        match outcome {
            Ok(version) => committed.push((version, keys)),
            Err(_) => assert!(is_conflict(&outcome), "{outcome:?}"),
        }
    }
    committed.sort();
    assert_eq!(committed.len(), 8);
    let told = heard.by_key();
    assert_eq!(told, by_key(committed));

    commit(&*engine, Batch::default()).await;
    assert_eq!(heard.by_key(), told, "a batch that puts nothing is no news");
}

pub(super) async fn may_register_and_read_late(engine: &dyn Engine) {
    commit(engine, put(&[("a", "1")])).await;
    let heard = Heard::on(engine);
    assert_eq!(heard.all(), [], "the past is not repeated");
    let version = commit(engine, put(&[("a", "2")])).await;
    assert_eq!(heard.all(), [(version, vec!["a".to_owned()])]);
}

pub(super) async fn a_dropped_answer_stops_nothing(engine: &dyn Engine) {
    let heard = Heard::on(engine);
    for n in 0..10 {
        let key = format!("k{n}");
        let mut answer = engine.commit(put(&[(&key, "kept")]));
        poll_fn(|cx| {
            let _ = answer.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
        drop(answer);
    }
    let all_told = async {
        while heard.by_key().len() < 10 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, all_told).await.expect("every commit is told of");
    for n in 0..10 {
        assert_eq!(value(engine, &format!("k{n}")).await.as_deref(), Some("kept"));
    }
    let mut told: Vec<String> = heard.by_key().into_iter().map(|(_, key)| key).collect();
    told.sort();
    assert_eq!(told, (0..10).map(|n| format!("k{n}")).collect::<Vec<_>>());
}
