//! What is asked of every source file. Each rule has examples of what breaks it and of what looks alike.

use crate::files::File;

/// Most lines of a file.
const MOST_LINES: usize = 400;
/// Files that may be longer, and why.
const LONGER: &[(&str, &str)] = &[
    ("crates/claviger-core/src/records.rs", "everything that is stored, on one page"),
    ("crates/claviger-store-etcd/src/proto/etcdserverpb.rs", "generated"),
];

/// Names that say nothing about what is inside.
const NAMES: &[&str] = &["common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"];

/// A rule over single files.
pub(crate) struct Rule {
    says: &'static str,
    /// The lines that break it.
    broken: fn(&File) -> Vec<usize>,
    /// Path, text, and the line that breaks the rule.
    planted: &'static [(&'static str, &'static str, usize)],
    /// Path and text of what looks alike and does not break it.
    fine: &'static [(&'static str, &'static str)],
}

/// All rules over files.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        says: "a file has at most 400 lines; look for the second subject in it",
        broken: |file| {
            let lines = file.text.lines().count();
            let may = LONGER.iter().any(|(path, _)| *path == file.path);
            if (lines > MOST_LINES) == may { Vec::new() } else { vec![lines] }
        },
        // An exception that is no longer needed is one too many.
        planted: &[("xtask/src/long.rs", LINES_401, 401), ("crates/claviger-core/src/records.rs", "", 0)],
        fine: &[("xtask/src/long.rs", LINES_400), ("crates/claviger-core/src/records.rs", LINES_401)],
    },
    Rule {
        says: "files and modules are named after what is in them",
        broken: |file| {
            let banned = |name: &str| NAMES.contains(&name);
            let mut parts = file.path.split('/').map(|part| part.strip_suffix(".rs").unwrap_or(part));
            let path = if parts.any(banned) { vec![1] } else { Vec::new() };
            let module = |line: &str| {
                let name = line.split_once("mod ").and_then(|(_, name)| name.split([';', ' ']).next());
                name.is_some_and(banned)
            };
            [path, file.lines_where(module)].concat()
        },
        planted: &[
            ("crates/claviger/src/utils.rs", "", 1),
            ("crates/claviger/src/common/key.rs", "", 1),
            ("crates/claviger/src/lib.rs", "mod key;\npub(crate) mod helpers;\n", 2),
            ("crates/claviger/src/lib.rs", "mod misc {\n}\n", 1),
        ],
        fine: &[
            ("crates/claviger/src/common_words.rs", "mod manager_of_keys;\n"),
            ("crates/claviger/src/lib.rs", "// no mod utils here\n"),
        ],
    },
    Rule {
        says: "nothing is left to do, and no test is ignored",
        broken: |file| {
            let words = ["todo!(", "unimplemented!(", "dbg!(", "#[ignore"];
            file.lines_where(|line| words.iter().any(|word| line.contains(word)))
        },
        planted: &[
            ("crates/claviger/src/key.rs", "fn key() {\n    todo!()\n}\n", 2),
            ("crates/claviger/src/key.rs", "unimplemented!(\"later\")\n", 1),
            ("xtask/src/main.rs", "let key = dbg!(key);\n", 1),
            ("crates/claviger/tests/key.rs", "#[test]\n#[ignore = \"slow\"]\n", 2),
        ],
        fine: &[("crates/claviger/src/key.rs", "fn todo() {}\n#[expect(unused)]\n")],
    },
    Rule {
        says: "product code does not unwrap; expect(\"why it holds\") states an invariant",
        broken: |file| file.product_where(|line| line.contains(".unwrap()")),
        planted: &[
            ("crates/claviger/src/key.rs", "let key = key.unwrap();\n", 1),
            (
                "crates/claviger/src/key.rs",
                "#[cfg(test)]\nmod tests;\n\nfn key() {\n    key.unwrap();\n}\n",
                5,
            ),
            ("crates/claviger/src/key.rs", "#[cfg(test)]\nmod tests {\n}\nfn key() { key.unwrap() }\n", 4),
        ],
        fine: &[
            ("crates/claviger/src/key.rs", "// never .unwrap()\nlet key = key.unwrap_or(0);\n"),
            (
                "crates/claviger/src/key.rs",
                "#[cfg(test)]\nmod tests {\n    fn key() {\n        key.unwrap()\n    }\n}\n",
            ),
            ("crates/claviger/tests/key.rs", "key.unwrap()\n"),
        ],
    },
    Rule {
        says: "only the binaries and examples print",
        broken: |file| {
            let prints = |line: &str| line.contains("print!(") || line.contains("println!(");
            let binaries = ["crates/claviger/", "crates/claviger-model/src/main.rs", "xtask/"];
            let may = binaries.iter().any(|binary| file.path.starts_with(binary));
            let may = may || file.path.contains("/examples/");
            if may { Vec::new() } else { file.lines_where(prints) }
        },
        planted: &[
            ("crates/claviger-core/src/key.rs", "println!(\"{key}\");\n", 1),
            ("crates/claviger-core/src/key.rs", "\neprintln!(\"{key}\");\n", 2),
            ("crates/claviger-model/src/check.rs", "println!();\n", 1),
        ],
        fine: &[
            ("crates/claviger/src/cli.rs", "println!(\"{key}\");\n"),
            ("xtask/src/main.rs", "println!();\n"),
            ("crates/claviger-core/examples/key.rs", "println!();\n"),
        ],
    },
    Rule {
        says: "a function that gives something is named after what it gives, without get_",
        broken: |file| file.product_where(|line| line.contains("fn get_")),
        planted: &[("crates/claviger/src/key.rs", "    pub fn get_key(&self) {\n", 1)],
        fine: &[
            ("crates/claviger-tencent/src/cam/get_policy.rs", "async fn run() {}\n"),
            ("crates/claviger/src/key.rs", "#[cfg(test)]\nfn get_key() {\n}\n"),
        ],
    },
];

impl Rule {
    /// What breaks the rule, with its place.
    pub(crate) fn offenders(&self, files: &[File]) -> Vec<String> {
        let of_file = |file: &File| -> Vec<String> {
            let lines = (self.broken)(file).into_iter();
            lines.map(|line| format!("{}:{line}: {}", file.path, self.says)).collect()
        };
        files.iter().flat_map(of_file).collect()
    }
}

const LINES_400: &str = newlines(&[b'\n'; 400]);
const LINES_401: &str = newlines(&[b'\n'; 401]);

const fn newlines(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}

#[test]
fn every_rule_catches_what_is_planted() {
    for rule in RULES {
        let lines = |path: &str, text: &str| {
            let files = File::together(vec![(path.to_owned(), text.to_owned())]);
            files.iter().flat_map(rule.broken).collect::<Vec<_>>()
        };
        for (path, text, line) in rule.planted {
            assert_eq!(lines(path, text), [*line], "{}: {path}\n{text}", rule.says);
        }
        for (path, text) in rule.fine {
            assert_eq!(lines(path, text), [0_usize; 0], "{}: {path}\n{text}", rule.says);
        }
    }
}
