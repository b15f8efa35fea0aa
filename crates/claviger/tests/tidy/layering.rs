//! Who may depend on whom, by the manifests.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// Who may depend on whom within the workspace. Tests may use [`FOR_TESTS`] too, and what a crate keeps behind features for them.
const LAYERS: &[(&str, &[&str])] = &[
    (
        "claviger",
        &[
            "claviger-api",
            "claviger-core",
            "claviger-huawei",
            "claviger-store",
            "claviger-store-etcd",
            "claviger-tencent",
        ],
    ),
    ("claviger-api", &["claviger-core"]),
    ("claviger-core", &["claviger-crypto", "claviger-store"]),
    ("claviger-crypto", &[]),
    ("claviger-huawei", &["claviger-api", "claviger-core"]),
    ("claviger-model", &[]),
    ("claviger-store", &[]),
    ("claviger-store-etcd", &["claviger-store"]),
    ("claviger-tencent", &["claviger-api", "claviger-core"]),
    ("xtask", &[]),
];
const FOR_TESTS: &[&str] = &["claviger-crypto", "claviger-store"];

/// The only crates that a library may be a direct dependency of, tests aside. The developer's tool `xtask` is free: it makes
/// requests like any client.
const OWNERS: &[(&[&str], &[&str])] = &[
    (
        &[
            "aes-gcm",
            "argon2",
            "aws-lc-rs",
            "hmac",
            "ring",
            "rsa",
            "sha1",
            "sha2",
            "sha3",
            "sm2",
            "sm3",
            "sm4",
            "subtle",
            "zeroize",
        ],
        &["claviger-crypto"],
    ),
    (&["redb"], &["claviger-store"]),
    (&["prost", "rustix", "tonic", "tonic-prost", "tower"], &["claviger-store-etcd"]),
    (
        &["hyper", "hyper-util"],
        &["claviger", "claviger-api", "claviger-huawei", "claviger-store-etcd", "claviger-tencent"],
    ),
];
const FREE: &str = "xtask";

/// The dependencies that [`LAYERS`] and [`OWNERS`] do not allow.
pub(crate) fn stray_dependencies(metadata: &Value) -> Vec<String> {
    let texts = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    let names: BTreeSet<String> = packages.iter().map(|package| texts(package, "name")).collect();
    let mut broken = Vec::new();
    for package in &packages {
        let name = texts(package, "name");
        let layer = LAYERS.iter().find(|(layer, _)| *layer == name);
        let manifest = texts(package, "manifest_path");
        if layer.is_none() {
            broken.push(format!("{manifest}:1: {name} has no row in LAYERS"));
        }
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let (to, for_tests) = (texts(dependency, "name"), dependency["kind"] == "dev");
            let allowed = if names.contains(&to) {
                layer.is_none_or(|(_, below)| below.contains(&to.as_str()))
                    || (for_tests && (FOR_TESTS.contains(&to.as_str()) || to == name))
            } else {
                let owner = OWNERS.iter().find(|(libraries, _)| libraries.contains(&to.as_str()));
                for_tests || name == FREE || owner.is_none_or(|(_, owners)| owners.contains(&name.as_str()))
            };
            if !allowed {
                let line = line_of(&manifest, &to);
                broken.push(format!("{manifest}:{line}: {name} must not depend on {to}"));
            }
        }
    }
    broken
}

/// Where a manifest names a dependency; 0 if it cannot be seen.
fn line_of(manifest: &str, dependency: &str) -> usize {
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    let names =
        |line: &str| line.strip_prefix(dependency).is_some_and(|rest| rest.starts_with([' ', '.', '=']));
    text.lines().position(names).map_or(0, |at| at + 1)
}

#[test]
fn a_stray_dependency_is_caught() {
    for (from, to, kind, allowed) in [
        ("claviger-core", "claviger-store", Value::Null, true),
        ("claviger-store", "claviger-core", Value::Null, false),
        ("claviger-tencent", "claviger-huawei", Value::Null, false),
        ("claviger-tencent", "claviger-crypto", Value::Null, false),
        ("claviger-tencent", "claviger-crypto", json!("dev"), true),
        ("claviger-crypto", "claviger-core", json!("dev"), false),
        ("claviger-crypto", "aws-lc-rs", Value::Null, true),
        ("claviger-core", "aws-lc-rs", Value::Null, false),
        ("claviger-core", "zeroize", json!("build"), false),
        ("claviger-core", "sha2", json!("dev"), true),
        ("xtask", "sha2", Value::Null, true),
        ("claviger-core", "redb", Value::Null, false),
        ("claviger-core", "hyper", Value::Null, false),
        ("claviger-api", "hyper", Value::Null, true),
        ("claviger-new", "serde", Value::Null, false),
    ] {
        let row = |name: &str, dependencies: Value| json!({"name": name, "manifest_path": format!("{name}.toml"), "dependencies": dependencies});
        let workspace = LAYERS.iter().filter(|(name, _)| *name != from).map(|(name, _)| row(name, json!([])));
        let mut packages: Vec<Value> = workspace.collect();
        packages.push(row(from, json!([{"name": to, "kind": kind}])));
        let broken = stray_dependencies(&json!({"packages": packages}));
        assert_eq!(broken.len(), usize::from(!allowed), "{from} {to} {kind} {broken:?}");
    }
}
