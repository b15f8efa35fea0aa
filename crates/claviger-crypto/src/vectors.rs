//! Test vectors: tables in `vectors/` and `golden/`, one row per line, columns separated by spaces.

use std::path::PathBuf;

/// The rows of the file at `path` below the crate, without comments and empty lines.
pub(crate) fn rows(path: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(file(path)).expect(path);
    let rows: Vec<Vec<String>> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split(' ').map(str::to_owned).collect())
        .collect();
    assert!(!rows.is_empty(), "{path} has no rows");
    rows
}

/// Compares `expected` with the file at `path`, or writes it there if the variable `UPDATE` is set.
pub(crate) fn check_golden(path: &str, expected: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file(path), expected).expect(path);
    }
    let text = std::fs::read_to_string(file(path)).unwrap_or_default();
    assert_eq!(text, expected, "{path}: a stored format must not change");
}

/// The bytes a column spells in hexadecimal; `-` spells none.
pub(crate) fn bytes(column: &str) -> Vec<u8> {
    if column == "-" { Vec::new() } else { hex::decode(column).expect(column) }
}

/// The bytes of a column of known length.
pub(crate) fn array<const N: usize>(column: &str) -> [u8; N] {
    bytes(column).try_into().expect(column)
}

/// The reverse of [`bytes`].
pub(crate) fn column(bytes: &[u8]) -> String {
    if bytes.is_empty() { "-".to_owned() } else { hex::encode(bytes) }
}

fn file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}
