//! Single records and scans.

use super::{commit, everything, put, show, value, version};
use crate::limits::{KEY_BYTES_MAX, PAGE_BYTES_MAX, PAGE_ENTRIES_MAX, VALUE_BYTES_MAX};
use crate::{Batch, Engine, Scan};

pub(super) async fn a_record_is_read_as_it_was_put(engine: &dyn Engine) {
    let empty = engine.get(b"a").await.expect("it reads");
    assert_eq!(empty.stored, None);

    let longest = vec![9; VALUE_BYTES_MAX];
    let written: [(&[u8], &[u8]); 6] = [
        (b"a", b"text"),
        (b"b", b""),
        (&[0], &[0, 1, 0xff]),
        (&[0xff], b"last"),
        (&[7; KEY_BYTES_MAX], b"longest key"),
        (b"long", &longest),
    ];
    let put = written.iter().map(|(key, value)| (key.to_vec(), Some(value.to_vec()))).collect();
    let version = commit(engine, Batch { expect: vec![], put }).await;
    for (key, value) in written {
        let read = engine.get(key).await.expect("it reads");
        assert!(read.at >= version);
        let stored = read.stored.expect("it was put");
        assert_eq!((stored.value.as_slice(), stored.version), (value, version));
    }
}

pub(super) async fn a_record_is_replaced_and_deleted(engine: &dyn Engine) {
    commit(engine, put(&[("a", "1"), ("b", "1")])).await;
    let second = commit(engine, put(&[("a", "2")])).await;
    assert_eq!(everything(engine).await, ["a=2", "b=1"]);
    assert_eq!(version(engine, "a").await, second);

    let delete = |key: &str| Batch { expect: vec![], put: vec![(key.into(), None)] };
    let third = commit(engine, delete("a")).await;
    assert_eq!(everything(engine).await, ["b=1"]);
    let gone = engine.get(b"a").await.expect("it reads");
    assert!(gone.stored.is_none() && gone.at >= third);

    assert!(commit(engine, delete("never there")).await > third, "deleting nothing is a commit too");
    commit(engine, put(&[("a", "3")])).await;
    assert_eq!(value(engine, "a").await.as_deref(), Some("3"));
}

pub(super) async fn a_key_no_record_may_have_is_not_there(engine: &dyn Engine) {
    commit(engine, put(&[("a", "1")])).await;
    for key in [vec![], vec![7; KEY_BYTES_MAX + 1]] {
        assert_eq!(engine.get(&key).await.expect("it reads").stored, None);
    }
}

pub(super) async fn a_scan_keeps_to_its_prefix(engine: &dyn Engine) {
    let keys: [&[u8]; 9] =
        [b"a", b"a/", b"a/1", b"a/\xff", b"a/\xff\xff", b"a0", b"b", b"\xff", b"\xff\xff\x01"];
    let records = keys.map(|key| (key.to_vec(), Some(b"v".to_vec())));
    let version = commit(engine, Batch { expect: vec![], put: records.to_vec() }).await;

    let prefixes: [&[u8]; 9] =
        [b"", b"a", b"a/", b"a/\xff", b"a/\xff\xff", b"\xff", b"\xff\xff", b"c", b"\xff\xff\xff"];
    for prefix in prefixes {
        let mut expected: Vec<&[u8]> = keys.into_iter().filter(|key| key.starts_with(prefix)).collect();
        expected.sort_unstable();
        let page = engine.scan(Scan::forward(prefix, keys.len())).await.expect("it scans");
        assert_eq!(keys_of(&page), expected, "forward under {prefix:?}");
        assert!(!page.more && page.at >= version);
        assert!(page.entries.iter().all(|entry| entry.version == version && entry.value == b"v"));

        expected.reverse();
        let page = engine.scan(Scan::backward(prefix, keys.len())).await.expect("it scans");
        assert_eq!(keys_of(&page), expected, "backward under {prefix:?}");
    }
}

pub(super) async fn a_scan_goes_on_after_a_key(engine: &dyn Engine) {
    commit(engine, put(&[("a/1", ""), ("a/3", ""), ("a/5", ""), ("b/1", "")])).await;
    // The prefix, the key to go on after, what follows it upwards, and downwards.
    let cases: [(&str, &str, &[&str], &[&str]); 9] = [
        ("a/", "a/1", &["a/3", "a/5"], &[]),
        ("a/", "a/3", &["a/5"], &["a/1"]),
        ("a/", "a/4", &["a/5"], &["a/3", "a/1"]),
        ("a/", "a/5", &[], &["a/3", "a/1"]),
        ("a/", "", &["a/1", "a/3", "a/5"], &[]),
        ("a/", "a/", &["a/1", "a/3", "a/5"], &[]),
        ("a/", "a0", &[], &["a/5", "a/3", "a/1"]),
        ("a/", "z", &[], &["a/5", "a/3", "a/1"]),
        ("", "a/5", &["b/1"], &["a/3", "a/1"]),
    ];
    for (prefix, after, up, down) in cases {
        let scan = Scan::forward(prefix.as_bytes(), 10).after(after.as_bytes());
        let page = engine.scan(scan).await.expect("it scans");
        assert_eq!(keys_of(&page), bytes(up), "forward under {prefix:?} after {after:?}");
        let scan = Scan::backward(prefix.as_bytes(), 10).after(after.as_bytes());
        let page = engine.scan(scan).await.expect("it scans");
        assert_eq!(keys_of(&page), bytes(down), "backward under {prefix:?} after {after:?}");
    }
}

pub(super) async fn pages_join_without_gap_or_repeat(engine: &dyn Engine) {
    let names: Vec<String> = (0..23).map(|n| format!("k/{n:02}")).collect();
    let records: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
    commit(engine, put(&records)).await;
    commit(engine, put(&[("j", "before"), ("l", "after")])).await;

    let forward: Vec<String> = names.iter().map(|name| format!("{name}=v")).collect();
    let backward: Vec<String> = forward.iter().rev().cloned().collect();
    for limit in [1, 2, 22, 23, 24] {
        assert_eq!(walk(engine, Scan::forward(b"k/", limit)).await, forward, "forward by {limit}");
        assert_eq!(walk(engine, Scan::backward(b"k/", limit)).await, backward, "backward by {limit}");
    }
}

pub(super) async fn a_page_has_limits(engine: &dyn Engine) {
    commit(engine, put(&[("a", ""), ("b", "")])).await;
    for (limit, entries, more) in [(0, 0, true), (1, 1, true), (2, 2, false), (usize::MAX, 2, false)] {
        let page = engine.scan(Scan::forward(b"", limit)).await.expect("it scans");
        assert_eq!((page.entries.len(), page.more), (entries, more), "limit {limit}");
    }

    for hundred in 0..=PAGE_ENTRIES_MAX / 100 {
        let keys = (0..100).map(|n| format!("many/{hundred:03}/{n:02}").into_bytes());
        let put = keys.map(|key| (key, Some(vec![]))).collect();
        commit(engine, Batch { expect: vec![], put }).await;
    }
    let page = engine.scan(Scan::forward(b"many/", usize::MAX)).await.expect("it scans");
    assert!(page.entries.len() <= PAGE_ENTRIES_MAX && page.more);

    let large = vec![1; VALUE_BYTES_MAX];
    for n in 0..=PAGE_BYTES_MAX / VALUE_BYTES_MAX {
        let put = vec![(format!("large/{n:02}").into_bytes(), Some(large.clone()))];
        commit(engine, Batch { expect: vec![], put }).await;
    }
    let page = engine.scan(Scan::backward(b"large/", usize::MAX)).await.expect("it scans");
    let bytes: usize = page.entries.iter().map(|entry| entry.value.len()).sum();
    assert!(page.more && !page.entries.is_empty() && bytes <= PAGE_BYTES_MAX, "{bytes} bytes");
}

async fn walk(engine: &dyn Engine, scan: Scan<'_>) -> Vec<String> {
    let mut seen = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = engine.scan(Scan { after: after.as_deref(), ..scan }).await.expect("it scans");
        seen.extend(page.entries.iter().map(show));
        assert!(page.entries.len() <= scan.limit);
        if !page.more {
            return seen;
        }
        after = Some(page.entries.last().expect("a page with more to come is not empty").key.clone());
    }
}

fn keys_of(page: &crate::Page) -> Vec<&[u8]> {
    page.entries.iter().map(|entry| entry.key.as_slice()).collect()
}

fn bytes<'a>(keys: &[&'a str]) -> Vec<&'a [u8]> {
    keys.iter().map(|key| key.as_bytes()).collect()
}
