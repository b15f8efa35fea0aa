use std::fs;
use std::sync::atomic::Ordering::SeqCst;

use claviger_core::key::KeySpec;
use claviger_core::records::at;
use claviger_core::region::Regions;
use claviger_core::{Authority, Clock, Entropy, Limits, OpenError, RootKey};
use claviger_store::{
    Answer, Batch, EmbeddedEngine, EmbeddedOptions, Faults, FaultyEngine, MemoryEngine, Observer, Page, Scan,
    Stats, Version,
};

use super::fill::Fence;
use super::folder::into_folder;
use super::reading::read;
use super::shared::{discard, into_shared};
use super::*;
use crate::dump;
use crate::dump_format::LINE_BYTES_MAX;
use crate::server::STORE_FILE;

fn engine() -> Arc<dyn Engine> {
    Arc::new(MemoryEngine::new())
}

async fn filled(records: u32) -> Arc<dyn Engine> {
    let engine = engine();
    for number in 0..records {
        let key = number.to_be_bytes().to_vec();
        let put = vec![(key, Some(vec![0xff; usize::try_from(number % 7).expect("small")]))];
        engine.commit(Batch { expect: Vec::new(), put }).await.expect("committed");
    }
    engine
}

async fn dumped(engine: &Arc<dyn Engine>) -> Vec<u8> {
    dump::write(&**engine, Vec::new(), &Progress::none()).await.expect("dumped").1
}

async fn all(engine: &Arc<dyn Engine>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut all, mut more) = (Vec::new(), true);
    while more {
        let mut scan = Scan::forward(b"", 4096);
        scan.after = all.last().map(|(key, _): &(Vec<u8>, _)| key.as_slice());
        let page = engine.scan(scan).await.expect("read");
        more = page.more;
        all.extend(page.entries.into_iter().map(|entry| (entry.key, entry.value)));
    }
    all
}

#[tokio::test]
async fn what_was_dumped_comes_back() {
    for records in [0, 1, 99, 100, 101, 2500] {
        let (from, to) = (filled(records).await, engine());
        let text = dumped(&from).await;
        let restored = read(text.as_slice(), &to, Fence::Nothing, &Progress::none()).await.expect("whole");
        assert_eq!(restored.records, u64::from(records));
        assert_eq!(all(&to).await, all(&from).await);
    }
}

#[tokio::test]
async fn every_cut_and_every_changed_byte_is_noticed() {
    let text = dumped(&filled(3).await).await;
    for end in 0..text.len() {
        let cut = text.get(..end).expect("within");
        read(cut, &engine(), Fence::Nothing, &Progress::none()).await.expect_err("cut short");
    }
    for index in 0..text.len() {
        let mut altered = text.clone();
        altered[index] ^= 1;
        read(altered.as_slice(), &engine(), Fence::Nothing, &Progress::none()).await.expect_err("altered");
    }
}

#[tokio::test]
async fn damage_is_named() {
    let text = String::from_utf8(dumped(&filled(3).await).await).expect("JSON");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let [header, a, b, c, trailer] = lines.as_slice() else { panic!("{lines:?}") };
    let long = "x".repeat(LINE_BYTES_MAX + 1);
    for (dump, expected) in [
        (String::new(), "the dump is empty"),
        ("hello\n".into(), "this is not a dump"),
        ("{\"format\":\"other\",\"v\":1}\n".into(), "this is not a dump"),
        (header.replace("\"v\":1", "\"v\":2"), "the dump has version 2"),
        (format!("{header}{a}"), "ends after line 2 without its trailer"),
        (format!("{header}{a}{b}{c}{}", trailer.trim_end()), "line 5 of the dump has no end"),
        (format!("{header}{a}{c}{trailer}"), "has 2 records, and its trailer says 3"),
        (format!("{header}{b}{a}{c}{trailer}"), "line 3 of the dump is out of order"),
        (format!("{header}{a}{a}{b}{c}{trailer}"), "line 3 of the dump is out of order"),
        (format!("{text}{a}"), "goes on behind its trailer"),
        (format!("{header}{a}{{}}\n{c}{trailer}"), "line 3 of the dump is damaged"),
        (format!("{header}{long}"), "longer than any line"),
        (text.replacen("0.1.0", "0.1.1", 1), "the dump was altered"),
    ] {
        let error =
            read(dump.as_bytes(), &engine(), Fence::Nothing, &Progress::none()).await.expect_err(expected);
        assert!(format!("{error:#}").contains(expected), "{expected}: {error:#}");
    }
}

#[tokio::test]
async fn a_folder_gets_a_store_only_from_a_whole_dump() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join(STORE_FILE);
    let text = dumped(&filled(300).await).await;
    let cut = text.get(..text.len() / 2).expect("within");
    into_folder(cut, folder.path(), Progress::none()).await.expect_err("half");
    assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 0, "nothing is left of it");
    into_folder(text.as_slice(), folder.path(), Progress::none()).await.expect("whole");
    assert!(store.exists());
    let again = into_folder(text.as_slice(), folder.path(), Progress::none()).await.expect_err("not empty");
    assert!(again.to_string().contains("is there already"), "{again}");
    assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1);
    let engine: Arc<dyn Engine> =
        Arc::new(EmbeddedEngine::open(&store, EmbeddedOptions::default()).expect("a store"));
    assert_eq!(all(&engine).await.len(), 300);
}

#[tokio::test]
async fn a_store_that_others_see_is_none_until_it_is_whole() {
    for records in [0, 1, 100, 2500] {
        let text = dumped(&filled(records).await).await;
        let to = engine();
        let restored = into_shared(text.as_slice(), &to, &Progress::none()).await.expect("whole");
        assert_eq!(restored.records, u64::from(records));
        assert_eq!(all(&to).await.len(), usize::try_from(records).expect("few"), "and no mark");
        let again = into_shared(text.as_slice(), &to, &Progress::none()).await;
        match records {
            0 => drop(again.expect("still empty")),
            _ => assert!(again.expect_err("not empty").to_string().contains("there is a store already")),
        }
    }
    let cut = dumped(&filled(2500).await).await;
    let to = engine();
    let error = into_shared(&cut[..cut.len() / 2], &to, &Progress::none()).await.expect_err("half");
    assert!(error.to_string().contains("nothing was restored"), "{error:#}");
    assert!(all(&to).await.is_empty());
}

/// A restore that dies in the middle leaves a store on which nothing begins, until what it left is removed.
#[tokio::test]
async fn half_a_copy_is_refused_by_all_and_removed_by_discard() {
    let faults: Arc<Faults> = Arc::default();
    let to: Arc<dyn Engine> = Arc::new(FaultyEngine::new(engine(), Arc::clone(&faults)));
    let text = dumped(&filled(9000).await).await;
    let lost = discard(&to, &Progress::none()).await.expect_err("nothing is there").to_string();
    assert!(lost.contains("nothing was removed"), "{lost}");
    let half = Dying { rest: &text[..text.len() / 2], faults: &faults };
    let error = into_shared(BufReader::new(half), &to, &Progress::none()).await.expect_err("it died");
    assert!(format!("{error:#}").contains("restore --discard"), "{error:#}");
    faults.refuse.store(false, SeqCst);

    let written = all(&to).await.len();
    assert!((2..9000).contains(&written), "{written}");
    for refused in [
        dump::write(&*to, Vec::new(), &Progress::none()).await.map(drop),
        into_shared(text.as_slice(), &to, &Progress::none()).await.map(drop),
        crate::store::refuse_half(&*to).await,
    ] {
        let error = refused.expect_err("half a copy").to_string();
        assert!(error.contains("a dump is being restored into this store since 20"), "{error}");
    }
    assert!(matches!(opened(&to).await, Err(OpenError::Restoring)));
    assert_eq!(all(&to).await.len(), written, "nothing was changed");

    assert_eq!(discard(&to, &Progress::none()).await.expect("removed"), written as u64 - 1);
    assert!(all(&to).await.is_empty());
    into_shared(text.as_slice(), &to, &Progress::none()).await.expect("whole");
    assert_eq!(all(&to).await.len(), 9000);
}

#[tokio::test]
async fn nobody_else_writes_while_a_dump_is_restored() {
    let text = dumped(&filled(2500).await).await;
    // A node whose store was begun just before the mark could be put.
    let to = engine();
    opened(&to).await.expect("begun");
    into_shared(text.as_slice(), &to, &Progress::none()).await.expect_err("there is a store");
    assert_eq!(all(&to).await.len(), 1, "it is left as it is");
    // Another restore that was discarded, and then goes on.
    let to = engine();
    let mark = Batch { expect: Vec::new(), put: vec![(at::restoring(), Some(b"{}".to_vec()))] };
    let version = to.commit(mark).await.expect("marked");
    discard(&to, &Progress::none()).await.expect("discarded");
    let error = read(text.as_slice(), &to, Fence::Mark(version), &Progress::none()).await;
    assert!(error.expect_err("fenced").to_string().contains("somebody else"));
    assert!(all(&to).await.is_empty());
}

#[tokio::test]
async fn a_dump_is_of_one_moment() {
    let from: Arc<dyn Engine> = Arc::new(Busy(filled(2500).await));
    let error = dump::write(&*from, Vec::new(), &Progress::none()).await.expect_err("changed").to_string();
    assert!(error.contains("was changed while it was read"), "{error}");
}

async fn opened(engine: &Arc<dyn Engine>) -> Result<Authority, OpenError> {
    let (clock, entropy) = (Clock::system(), Entropy::seeded(1));
    let (root, regions) = (RootKey::generate(&entropy), Regions::single(KeySpec::Aes256));
    Authority::open(Arc::clone(engine), root, regions, Limits::default(), clock, entropy).await
}

/// A dump that breaks off, and the connection to the store with it.
struct Dying<'a> {
    rest: &'a [u8],
    faults: &'a Faults,
}

impl io::Read for Dying<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            self.faults.refuse.store(true, SeqCst);
        }
        self.rest.read(into)
    }
}

/// A store that is changed after every page.
struct Busy(Arc<dyn Engine>);

impl Engine for Busy {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, claviger_store::Read> {
        self.0.get(key)
    }

    fn scan<'a>(&'a self, scan: Scan<'a>) -> Answer<'a, Page> {
        Box::pin(async move {
            let page = self.0.scan(scan).await;
            self.0.commit(Batch { expect: Vec::new(), put: vec![(b"x".to_vec(), None)] }).await?;
            page
        })
    }

    fn commit(&self, batch: Batch) -> Answer<'_, Version> {
        self.0.commit(batch)
    }

    fn observe(&self, observer: Observer) {
        self.0.observe(observer);
    }

    fn stats(&self) -> Stats {
        self.0.stats()
    }
}
