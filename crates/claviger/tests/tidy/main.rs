//! What matters and no compiler checks: who may depend on whom, how long a file may be, which names and words are banned, and
//! how the tables of routes look. A failure names all offenders at once, and each rule is shown to catch a planted one.

mod files;
mod layering;
mod routes;
mod rules;

use std::path::{Path, PathBuf};
use std::process::Command;

use claviger::dialects;
use serde_json::Value;

use files::{File, RULES_FILE};
use layering::stray_dependencies;
use routes::{Row, odd_rows};
use rules::RULES;

#[test]
fn every_file_is_tidy() {
    let files = File::all(&root());
    assert!(files.iter().any(|file| file.path == RULES_FILE), "the files of this repository");
    let broken: Vec<String> = RULES.iter().flat_map(|rule| rule.offenders(&files)).collect();
    assert!(broken.is_empty(), "{}", listed(&broken));
}

#[test]
fn dependencies_point_one_way() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let broken = stray_dependencies(&metadata);
    assert!(broken.is_empty(), "{}", listed(&broken));
}

#[test]
fn every_route_says_what_it_is() {
    for dialect in dialects::all(dialects::Settings::default()) {
        // Tencent's are found by name and come in any order here; a test beside its tables looks at that.
        let ordered = dialect.name() != "tencent";
        let routes: Vec<Row> = dialect.routes().into_iter().map(Row::of).collect();
        let broken = odd_rows(&routes, ordered);
        assert!(broken.is_empty(), "{}: {}", dialect.name(), listed(&broken));
    }
}

fn listed(broken: &[String]) -> String {
    format!("{} to put right:\n{}", broken.len(), broken.join("\n"))
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
