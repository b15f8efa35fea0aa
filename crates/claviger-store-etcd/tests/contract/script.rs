//! The words of the table, as requests. Keys come with a prefix, revisions count from the one the case began at.

use claviger_store_etcd::proto::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use claviger_store_etcd::proto::etcdserverpb::range_request::{SortOrder, SortTarget};
use claviger_store_etcd::proto::etcdserverpb::request_op::Request;
use claviger_store_etcd::proto::etcdserverpb::{
    Compare, DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest, WatchCreateRequest,
};

/// Where the case stands in the store.
#[derive(Clone, Copy)]
pub struct Place<'c> {
    pub prefix: &'c str,
    pub base: i64,
}

/// The words of one line, read from the left.
pub struct Words<'l> {
    words: std::iter::Peekable<std::str::SplitWhitespace<'l>>,
    place: Place<'l>,
}

impl<'l> Words<'l> {
    pub fn new(line: &'l str, place: Place<'l>) -> Self {
        Self { words: line.split_whitespace().peekable(), place }
    }

    pub fn word(&mut self) -> &'l str {
        self.words.next().expect("the line goes on")
    }

    pub fn number(&mut self) -> i64 {
        self.word().parse().expect("a number")
    }

    pub fn is_over(&mut self) -> bool {
        self.words.peek().is_none()
    }

    /// Takes the next word if it is this one.
    fn takes(&mut self, word: &str) -> bool {
        self.words.next_if_eq(&word).is_some()
    }

    /// `''` is empty, `*` stands for all keys from the other one on.
    fn key(&mut self) -> Vec<u8> {
        match self.word() {
            "''" => Vec::new(),
            "*" => b"\0".to_vec(),
            word => format!("{}{word}", self.place.prefix).into_bytes(),
        }
    }

    /// `@n` stands for n bytes.
    fn value(&mut self) -> Vec<u8> {
        let word = self.word();
        match word.strip_prefix('@') {
            Some(bytes) => vec![b'x'; bytes.parse().expect("a number of bytes")],
            None => word.as_bytes().to_vec(),
        }
    }

    /// 0 is none, all others count from the case's beginning.
    pub fn revision(&mut self) -> i64 {
        match self.number() {
            0 => 0,
            revision => self.place.base + revision,
        }
    }

    pub fn put(&mut self) -> PutRequest {
        let (key, value) = (self.key(), self.value());
        let lease = if self.takes("lease") { self.number() } else { 0 };
        PutRequest { key, value, lease }
    }

    pub fn get(&mut self) -> RangeRequest {
        let key = self.key();
        self.options(RangeRequest { key, ..RangeRequest::default() })
    }

    pub fn range(&mut self) -> RangeRequest {
        let (key, range_end) = (self.key(), self.key());
        self.options(RangeRequest { key, range_end, ..RangeRequest::default() })
    }

    fn options(&mut self, mut range: RangeRequest) -> RangeRequest {
        loop {
            if self.takes("at") {
                range.revision = self.revision();
            } else if self.takes("limit") {
                range.limit = self.number();
            } else if self.takes("keys") {
                range.keys_only = true;
            } else if self.takes("count") {
                range.count_only = true;
            } else if self.takes("serializable") {
                range.serializable = true;
            } else if self.takes("down") {
                range.set_sort_order(SortOrder::Descend);
            } else if self.takes("up") {
                range.set_sort_order(SortOrder::Ascend);
            } else if self.takes("by") {
                range.set_sort_target(match self.word() {
                    "create" => SortTarget::Create,
                    "mod" => SortTarget::Mod,
                    "value" => SortTarget::Value,
                    "version" => SortTarget::Version,
                    other => panic!("what is {other}?"),
                });
            } else {
                return range;
            }
        }
    }

    pub fn delete(&mut self) -> DeleteRangeRequest {
        let key = self.key();
        let range_end = if self.takes("to") { self.key() } else { Vec::new() };
        DeleteRangeRequest { key, range_end }
    }

    pub fn watch(&mut self) -> WatchCreateRequest {
        let key = self.key();
        let range_end = if self.takes("to") { self.key() } else { Vec::new() };
        let start_revision = if self.takes("from") { self.revision() } else { 0 };
        WatchCreateRequest { key, range_end, start_revision, ..WatchCreateRequest::default() }
    }

    /// `[ compares ] [ operations if they hold ] [ and if not ]`
    pub fn txn(&mut self) -> TxnRequest {
        let compare = self.list(|words, compares| compares.push(words.compare()));
        let success = self.list(Self::ops);
        let failure = self.list(Self::ops);
        TxnRequest { compare, success, failure }
    }

    fn list<T>(&mut self, item: fn(&mut Self, &mut Vec<T>)) -> Vec<T> {
        assert!(self.takes("["), "a list begins");
        let mut items = Vec::new();
        while !self.takes("]") {
            item(self, &mut items);
        }
        items
    }

    fn ops(&mut self, ops: &mut Vec<RequestOp>) {
        let request = match self.word() {
            "del" => Request::RequestDeleteRange(self.delete()),
            "get" => Request::RequestRange(self.get()),
            "put" => Request::RequestPut(self.put()),
            "range" => Request::RequestRange(self.range()),
            "txn" => Request::RequestTxn(self.txn()),
            "gets" => {
                let count = self.number();
                let get = RangeRequest { key: b"many".to_vec(), ..RangeRequest::default() };
                let op = RequestOp { request: Some(Request::RequestRange(get)) };
                ops.extend((0..count).map(|_| op.clone()));
                return;
            }
            other => panic!("what is {other}?"),
        };
        ops.push(RequestOp { request: Some(request) });
    }

    fn compare(&mut self) -> Compare {
        let target = self.word();
        let key = self.key();
        let result = match self.word() {
            "=" => CompareResult::Equal,
            ">" => CompareResult::Greater,
            "<" => CompareResult::Less,
            "!=" => CompareResult::NotEqual,
            other => panic!("what is {other}?"),
        };
        let (target, union) = match target {
            "create" => (CompareTarget::Create, TargetUnion::CreateRevision(self.revision())),
            "lease" => (CompareTarget::Lease, TargetUnion::Lease(self.number())),
            "mod" => (CompareTarget::Mod, TargetUnion::ModRevision(self.revision())),
            "value" => (CompareTarget::Value, TargetUnion::Value(self.value())),
            "version" => (CompareTarget::Version, TargetUnion::Version(self.number())),
            other => panic!("what is {other}?"),
        };
        Compare { result: result.into(), target: target.into(), key, target_union: Some(union) }
    }
}
