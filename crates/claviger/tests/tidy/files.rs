//! The source files, and which of their lines are for tests only.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Where the rules are, which have to spell what they ban.
pub(crate) const RULES_FILE: &str = "crates/claviger/tests/tidy/rules.rs";

/// A source file by its path from the root of the repository.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
    /// Whether it is compiled for tests only.
    pub(crate) of_tests: bool,
}

impl File {
    /// All Rust files: those that git knows or would add; where there is no git, those that are there.
    pub(crate) fn all(root: &Path) -> Vec<Self> {
        let arguments = ["ls-files", "--cached", "--others", "--exclude-standard", "--", "*.rs"];
        let listed = Command::new("git").args(arguments).current_dir(root).output();
        let listed = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let mut paths: BTreeSet<String> = listed.unwrap_or_default().lines().map(str::to_owned).collect();
        if paths.is_empty() {
            for folder in ["crates", "xtask"] {
                walk(root, folder, &mut paths);
            }
        }
        // A file that is deleted and not committed yet is still listed.
        let read = |path: String| Some((std::fs::read_to_string(root.join(&path)).ok()?, path));
        Self::together(paths.into_iter().filter_map(read).map(|(text, path)| (path, text)).collect())
    }

    /// Files of one tree; a module that is declared for tests only, and what is below it, is of tests.
    pub(crate) fn together(files: Vec<(String, String)>) -> Vec<Self> {
        let test_modules: Vec<String> =
            files.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
        let of_tests = |path: &str| {
            let below = |module: &String| {
                path.strip_prefix(module.as_str()).is_some_and(|rest| rest.starts_with(['/', '.']))
            };
            path.contains("/tests/") || path.contains("/examples/") || test_modules.iter().any(below)
        };
        files.into_iter().map(|(path, text)| Self { of_tests: of_tests(&path), path, text }).collect()
    }

    /// The numbers of lines that are so, comments aside.
    pub(crate) fn lines_where(&self, is_so: impl Fn(&str) -> bool) -> Vec<usize> {
        let code = |line: &str| !line.trim_start().starts_with("//") && self.path != RULES_FILE;
        let lines = self.text.lines().enumerate();
        lines.filter(|(_, line)| code(line) && is_so(line)).map(|(at, _)| at + 1).collect()
    }

    /// The same in what is shipped: in `src`, and not for tests only.
    pub(crate) fn product_where(&self, is_so: impl Fn(&str) -> bool) -> Vec<usize> {
        if self.of_tests || !self.path.starts_with("crates/") {
            return Vec::new();
        }
        let tests = test_lines(&self.text);
        self.lines_where(is_so).into_iter().filter(|line| !tests.contains(line)).collect()
    }
}

fn walk(root: &Path, folder: &str, paths: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            walk(root, &path, paths);
        } else if Path::new(&path).extension().is_some_and(|extension| extension == "rs") {
            paths.insert(path);
        }
    }
}

/// The lines of the items that are for tests only: from the attribute to the next line at its column that ends an item, as
/// rustfmt sets it.
fn test_lines(text: &str) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut indent = None;
    for (at, line) in text.lines().enumerate() {
        let item = line.trim_start();
        if indent.is_none() && ["#[cfg(test)]", "#[cfg(any(test,"].iter().any(|cfg| item.starts_with(cfg)) {
            indent = Some(line.len() - item.len());
        }
        if let Some(column) = indent {
            found.insert(at + 1);
            let ends = item.ends_with([';', '}', ',']);
            if ends && line.len() - item.len() == column {
                indent = None;
            }
        }
    }
    found
}

/// Where the modules live that a file declares for tests only, without `.rs`.
fn test_modules(path: &str, text: &str) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        name => format!("{folder}/{}", name.trim_end_matches(".rs")),
    };
    let lines: Vec<&str> = text.lines().collect();
    let module = |line: usize| {
        let (_, name) = lines.get(line - 1)?.split_once("mod ")?;
        Some(format!("{folder}/{}", name.strip_suffix(';')?))
    };
    test_lines(text).into_iter().filter_map(module).collect()
}

#[test]
fn modules_for_tests_are_found() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let files = File::together(vec![
        file("crates/a/src/lib.rs", "mod key;\n#[cfg(test)]\nmod golden;\nmod last;\n"),
        file("crates/a/src/golden.rs", ""),
        file("crates/a/src/golden/kms.rs", ""),
        file("crates/a/src/key.rs", "#[cfg(any(test, feature = \"suite\"))]\npub mod suite;\n"),
        file("crates/a/src/key/suite.rs", ""),
        file("crates/a/src/last.rs", ""),
        file("crates/a/tests/process.rs", ""),
    ]);
    let of_tests: Vec<&str> =
        files.iter().filter(|file| file.of_tests).map(|file| file.path.as_str()).collect();
    let expected = ["src/golden.rs", "src/golden/kms.rs", "src/key/suite.rs", "tests/process.rs"];
    assert_eq!(of_tests, expected.map(|path| format!("crates/a/{path}")));
}

#[test]
fn files_are_found_without_git() {
    let mut paths = BTreeSet::new();
    for folder in ["crates", "xtask"] {
        walk(&crate::root(), folder, &mut paths);
    }
    assert!([RULES_FILE, "xtask/src/main.rs"].iter().all(|path| paths.contains(*path)), "{paths:?}");
}
