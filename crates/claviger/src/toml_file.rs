//! Reading TOML so that a mistake is named with its line and, where one is likely meant, the right word.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use serde::de::DeserializeOwned;

/// How alike two words must be for one to be suggested for the other.
const ALIKE: f64 = 0.66;
/// Most bytes of a file.
const FILE_BYTES: u64 = 16 << 20;

/// Reads a file of at most 16 MiB.
pub fn read(path: &Path) -> Result<String> {
    let unreadable = || format!("cannot read {}", path.display());
    let length = std::fs::metadata(path).with_context(unreadable)?.len();
    anyhow::ensure!(length <= FILE_BYTES, "{} is larger than {FILE_BYTES} bytes", path.display());
    std::fs::read_to_string(path).with_context(unreadable)
}

/// Parses `text`, which came from the file `name`.
///
/// # Errors
/// `<name>:<line>: <what is wrong>`, with a suggestion for a mistyped key or word.
pub fn parse<T: DeserializeOwned>(name: &Path, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| at(name, text, error.span(), &describe(error.message())))
}

/// An error about a place in `text`.
pub fn at(name: &Path, text: &str, span: Option<Range<usize>>, message: &str) -> anyhow::Error {
    let line = span.and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    match line {
        Some(line) => anyhow!("{}:{line}: {message}", name.display()),
        None => anyhow!("{}: {message}", name.display()),
    }
}

/// The candidate most like `word`, if any is much alike.
pub fn suggestion<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let rated = candidates.into_iter().map(|candidate| {
        (strsim::normalized_damerau_levenshtein(&word, &candidate.to_lowercase()), candidate)
    });
    let best = rated.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE || best.1.to_lowercase().starts_with(&word)).then_some(best.1)
}

/// The parser's words for an unknown key or variant, in ours.
fn describe(message: &str) -> String {
    let message = message.trim_end().replace('\n', "; ");
    let (what, rest) =
        match (message.strip_prefix("unknown field "), message.strip_prefix("unknown variant ")) {
            (Some(rest), _) => ("unknown key", rest),
            (_, Some(rest)) => ("unknown value", rest),
            (None, None) => {
                let missing = message.strip_prefix("missing field ");
                return missing.map_or(message.clone(), |field| format!("{field} is missing"));
            }
        };
    let mut quoted = rest.split('`').skip(1).step_by(2);
    let word = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.collect();
    match suggestion(word, known.iter().copied()) {
        Some(meant) => format!("{what} `{word}`; did you mean `{meant}`?"),
        None => format!("{what} `{word}`; here belongs one of {}", listed(&known)),
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Sample {
        folder: String,
        mode: Option<Mode>,
        inner: Option<Inner>,
        #[serde(default)]
        item: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Inner {
        address: Option<std::net::SocketAddr>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Mode {
        Classic,
        Modern,
    }

    #[test]
    fn mistakes_are_named_with_line_and_suggestion() {
        for (text, expected) in [
            ("foldr = \"x\"\n", "f.toml:1: unknown key `foldr`; did you mean `folder`?"),
            (
                "folder = \"x\"\nzzz = 1\n",
                "f.toml:2: unknown key `zzz`; here belongs one of `folder`, `mode`",
            ),
            ("folder = \"x\"\nmode = \"moden\"\n", "f.toml:2: unknown value `moden`; did you mean `modern`?"),
            (
                "folder = \"x\"\n\n[inner]\nadress = \"\"\n",
                "f.toml:4: unknown key `adress`; did you mean `address`?",
            ),
            ("folder = \"x\"\n[[item]]\n[[item]]\nadress = 1\n", "f.toml:4: unknown key `adress`; did you"),
            ("folder = \"x\"\n[inner]\naddress = \"nowhere\"\n", "f.toml:3: invalid socket address"),
            ("folder = 1\n", "f.toml:1: invalid type: integer `1`, expected a string"),
            ("mode = \"modern\"\n", "f.toml:1: `folder` is missing"),
            ("not toml\n", "f.toml:1: "),
        ] {
            let error = parse::<Sample>(Path::new("f.toml"), text).expect_err(text).to_string();
            assert!(error.starts_with(expected), "{text:?}: {error}");
        }
    }

    #[test]
    fn suggestions_are_alike() {
        for (word, found) in [
            ("rootkey", Some("root_key")),
            ("Listener", Some("listener")),
            ("limit", Some("limits")),
            ("x", None),
            ("completely", None),
        ] {
            assert_eq!(suggestion(word, ["root_key", "listener", "limits"]), found, "{word}");
        }
    }
}
