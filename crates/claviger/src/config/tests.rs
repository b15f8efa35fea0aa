use claviger_core::RegionId;
use claviger_core::key::KeySpec;
use claviger_core::tag::TagProfile;

use super::*;

const MINIMAL: &str = "[[listener]]\naddress = \"127.0.0.1:7600\"\n[data]\nfolder = \"claviger-data\"\n[root_key]\nfile = \"claviger-data/root.key\"\n";

fn parse(text: &str) -> Result<Config> {
    Config::parse(Path::new("c.toml"), text)
}

#[test]
fn the_example_is_the_defaults() {
    let example = parse(EXAMPLE).expect("accepted");
    assert_eq!(example, parse(MINIMAL).expect("accepted"));
}

/// What the example only mentions can be switched on as it stands there.
#[test]
fn what_the_example_comments_out_is_accepted() {
    for commented in [
        "address = \"[::]:1\"\ntls = { certificate = \"certificate.pem\", key = \"key.pem\" }",
        "[[region]]\nname = \"south\"\nsymmetric = \"aes-256\"\ntencent = [\"ap-guangzhou\", \"ap-shenzhen\"]\nhuawei = [\"cn-south-1\"]",
        "[rates]\ndefault = 100",
        "[audit]\nfolder = \"claviger-data/audit\"",
        "[limits]\nthreads = 8",
    ] {
        let commented = commented
            .strip_prefix("address")
            .map_or(commented.to_owned(), |rest| format!("[[listener]]\naddress{rest}"));
        parse(&format!("{MINIMAL}{commented}\n")).expect(&commented);
    }
}

#[test]
fn mistakes_are_named_with_line_and_suggestion() {
    for (more, expected) in [
        ("[quta]\n", "c.toml:7: unknown key `quta`; did you mean `quota`?"),
        ("[limits]\nbody_byts = 1\n", "c.toml:8: unknown key `body_byts`; did you mean `body_bytes`?"),
        ("[limits]\nthreads = 0\n", "c.toml:8: invalid value: integer `0`"),
        ("[tags]\nprofile = \"modren\"\n", "c.toml:8: unknown value `modren`; did you mean `modern`?"),
        ("[rates]\nenable = true\n", "c.toml:8: unknown key `enable`; did you mean `enabled`?"),
        ("[rates]\nenabled = true\n\"kms.Zzz\" = 1\n", "c.toml:9: unknown action `kms.Zzz`"),
        (
            "[rates]\n\"kms.Encript\" = 1\n",
            "c.toml:8: unknown action `kms.Encript`; did you mean `kms.Encrypt`?",
        ),
        ("[rates]\ndefault = -1\n", "c.toml:8: invalid value"),
        ("[log]\nfilter = \"a=b=c\"\n", "c.toml: [log] filter"),
        ("[[region]]\nname = \"South\"\n", "c.toml: [[region]]: `South` is not a name"),
        ("[[region]]\nname = \"a\"\n[[region]]\nname = \"a\"\n", "c.toml: [[region]]: `a` is there twice"),
        (
            "[[region]]\nname = \"a\"\nhuawei = [\"x\"]\n[[region]]\nname = \"b\"\nhuawei = [\"x\"]\n",
            "c.toml: [[region]]: two regions answer to huawei's `x`",
        ),
        (
            "[[region]]\nname = \"a\"\nsymmetric = \"aes256\"\n",
            "c.toml:9: unknown value `aes256`; did you mean `aes-256`?",
        ),
        (
            "[[listener]]\nadress = \"127.0.0.1:1\"\n",
            "c.toml:8: unknown key `adress`; did you mean `address`?",
        ),
    ] {
        let error = format!("{:#}", parse(&format!("{MINIMAL}{more}")).expect_err(more));
        assert!(error.starts_with(expected), "{more:?}: {error}");
    }
}

#[test]
fn what_is_needed_is_said() {
    let both = MINIMAL.to_owned() + "passphrase_file = \"p\"\n";
    let neither = MINIMAL.replace("file = \"claviger-data/root.key\"\n", "");
    let unknown = MINIMAL.replace("[root_key]", "[rootkey]");
    for (text, expected) in [
        ("", "`listener` is missing"),
        ("[data]\nfolder = \"x\"\n[root_key]\nfile = \"x\"\n", "`listener` is missing"),
        ("listener = []\n[data]\nfolder = \"x\"\n[root_key]\nfile = \"x\"\n", "at least one [[listener]]"),
        (both.as_str(), "c.toml:5: [root_key] takes `file` or `passphrase_file`, not both"),
        (neither.as_str(), "c.toml:5: [root_key] needs `file` or `passphrase_file`"),
        (unknown.as_str(), "c.toml:5: unknown key `rootkey`; did you mean `root_key`?"),
    ] {
        let error = format!("{:#}", parse(text).expect_err(text));
        assert!(error.contains(expected), "{text:?}: {error}");
    }
}

#[test]
fn paths_are_relative_to_the_file() {
    let setup = parse(MINIMAL).expect("accepted").setup(Path::new("/etc/claviger/c.toml")).expect("no TLS");
    assert_eq!(setup.data, Path::new("/etc/claviger/claviger-data"));
    assert_eq!(setup.root_key, Source::File("/etc/claviger/claviger-data/root.key".into()));
    assert_eq!(setup.audit.folder, Path::new("/etc/claviger/claviger-data/audit"));
    let elsewhere = MINIMAL.replace("claviger-data", "/srv/keys") + "[audit]\nfolder = \"log\"\n";
    let setup = parse(&elsewhere).expect("accepted").setup(Path::new("/etc/c.toml")).expect("no TLS");
    assert_eq!(setup.data, Path::new("/srv/keys"));
    assert_eq!(setup.audit.folder, Path::new("/etc/log"));
}

#[test]
fn everything_arrives() {
    let text = MINIMAL.to_owned()
        + "[quota]\nkeys_per_region = 7\n[tags]\nprofile = \"modern\"\n[limits]\nthreads = 3\nbody_bytes = 9\n\
           [rates]\nenabled = false\n[audit]\nsegment_bytes = 1000\n[tencent]\nstrict_scope = true\n\
           [[region]]\nname = \"gm\"\nsymmetric = \"sm4\"\ntencent = [\"ap-x\"]\n[[region]]\nname = \"rest\"\n";
    let setup = parse(&text).expect("accepted").setup(Path::new("c.toml")).expect("no TLS");
    assert_eq!((setup.limits.keys_per_ring, setup.limits.tags), (7, TagProfile::Modern));
    assert_eq!((setup.threads, setup.http.body_bytes, setup.audit.segment_bytes), (3, 9, 1000));
    assert!(setup.rates.off && setup.dialects.strict_scope);
    let first = setup.regions.first();
    assert_eq!((first.id.as_str(), first.spec), ("gm", KeySpec::Sm4));
    assert_eq!(first.names("tencent"), ["ap-x"]);
    assert!(setup.regions.find(&RegionId::parse("rest").expect("a good name")).is_some());
}

#[test]
fn certificates_that_cannot_be_used_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("c.toml");
    let text = MINIMAL.replace("7600\"", "7600\"\ntls = { certificate = \"c.pem\", key = \"k.pem\" }");
    let config = parse(&text).expect("accepted");
    let refused = || format!("{:#}", config.setup(&file).err().expect("refused"));
    assert!(refused().contains("c.pem"), "{}", refused());
    std::fs::write(folder.path().join("c.pem"), "nothing").expect("writable");
    assert!(refused().contains("no certificate"), "{}", refused());
}
