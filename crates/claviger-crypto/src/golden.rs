//! What every release wrote must open for ever. The tables in `golden/` are written with `UPDATE=1`, and a format
//! version that has been released is never written again.

use std::fmt::Write;

use crate::ring::RingKey;
use crate::vectors::{array, bytes, check_golden, column, rows};
use crate::{Algorithm, Blob, BlobHead, CipherKey, Entropy, RootKey, Secret};

const BLOBS: &str = "golden/blob-v1.txt";
const SEALED: &str = "golden/sealed-v1.txt";

#[test]
fn blobs_v1_open() {
    for row in rows(BLOBS) {
        let [algorithm, key, key_id, key_version, context_kind, context, plaintext, blob] = row.as_slice()
        else {
            panic!("{row:?}")
        };
        let algorithm = Algorithm::from_wire(algorithm.parse().unwrap()).unwrap();
        let blob = bytes(blob);
        let blob = Blob::parse(&blob).unwrap();
        assert_eq!(blob.algorithm(), algorithm);
        assert_eq!(blob.key_id(), array(key_id));
        assert_eq!(blob.key_version().to_string(), *key_version);
        assert_eq!(blob.context_kind().to_string(), *context_kind);
        let opened = CipherKey::new(algorithm, &bytes(key)).unwrap().decrypt(&blob, &bytes(context)).unwrap();
        assert_eq!(opened.reveal(), bytes(plaintext));
    }
}

#[test]
fn blobs_v1_are_written_as_ever() {
    let entropy = Entropy::seeded(1);
    let long: Vec<u8> = (0..=255).cycle().take(1000).collect();
    let cases: [(u32, u8, &[u8], &[u8]); 5] = [
        (1, 0, b"", b"hello"),
        (2, 1, b"{\"app\":\"demo\"}", b"hello"),
        (u32::MAX, 255, b"c", b""),
        (0, 0, b"", b"exactly 16 bytes"),
        (7, 2, &long, &long),
    ];
    let mut text = String::from(
        "# Blob format 1. Columns: algorithm, key, key id, key version, context kind, context, plaintext, blob.\n",
    );
    for algorithm in [Algorithm::Aes256Gcm, Algorithm::Sm4Gcm] {
        for (key_version, context_kind, context, plaintext) in cases {
            let key = Secret::random(&entropy, algorithm.key_len());
            let head = BlobHead { key_id: entropy.uuid(), key_version, context_kind };
            let cipher_key = CipherKey::new(algorithm, key.reveal()).unwrap();
            let blob = cipher_key.encrypt(&entropy, &head, context, plaintext);
            writeln!(
                text,
                "{} {} {} {key_version} {context_kind} {} {} {}",
                algorithm.wire(),
                column(key.reveal()),
                column(&head.key_id),
                column(context),
                column(plaintext),
                column(&blob)
            )
            .unwrap();
        }
    }
    check_golden(BLOBS, &text);
}

#[test]
fn sealed_v1_opens() {
    for row in rows(SEALED) {
        let [kind, key, label, secret, sealed] = row.as_slice() else { panic!("{row:?}") };
        let (label, secret, sealed) = (bytes(label), bytes(secret), bytes(sealed));
        match kind.as_str() {
            "ring" => {
                let root = RootKey::parse(key.replace(':', " ").as_bytes()).unwrap();
                let ring = root.unwrap_ring(&sealed, &label).unwrap();
                assert_eq!(ring.secret().reveal(), secret);
            }
            "secret" => {
                let ring = RingKey::from_secret(Secret::new(bytes(key))).unwrap();
                assert_eq!(ring.open(&label, &sealed).unwrap().reveal(), secret);
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn sealed_v1_is_written_as_ever() {
    let entropy = Entropy::seeded(2);
    let root = RootKey::generate(&entropy);
    let ring = RingKey::generate(&entropy);
    let mut text = String::from(
        "# Sealed format 1. Columns: kind, key (a root key as its text with : for spaces), label, secret, sealed.\n",
    );
    let root_text = String::from_utf8(root.to_text().reveal().to_vec()).unwrap();
    let root_text = root_text.trim_end().replace(' ', ":");
    let ring_bytes = column(ring.secret().reveal());
    for label in [b"".as_slice(), b"ring/1"] {
        let sealed = root.wrap_ring(&entropy, &ring, label);
        writeln!(text, "ring {root_text} {} {ring_bytes} {}", column(label), column(&sealed)).unwrap();
    }
    for (label, secret) in [(b"".as_slice(), b"".as_slice()), (b"key/1/2", b"0123456789abcdef"), (b"x", b"y")]
    {
        let sealed = ring.seal(&entropy, label, secret);
        let columns = [column(label), column(secret), column(&sealed)].join(" ");
        writeln!(text, "secret {ring_bytes} {columns}").unwrap();
    }
    check_golden(SEALED, &text);
}
