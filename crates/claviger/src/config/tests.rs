use claviger_core::RegionId;
use claviger_core::key::KeySpec;
use claviger_core::tag::TagProfile;

use super::*;
use crate::files;

const MINIMAL: &str = "[[listener]]\naddress = \"127.0.0.1:7600\"\n[data]\nfolder = \"claviger-data\"\n[root_key]\nfile = \"claviger-data/root.key\"\n";

/// As the example has it.
const ETCD: &str = r#"[store]
engine = "etcd"
endpoints = ["https://10.0.0.1:2379", "https://10.0.0.2:2379", "https://10.0.0.3:2379"]
prefix = "claviger/"
cluster = "production"
node = "kms-1"
lease_seconds = 2
deadline_seconds = 5
user = "claviger"
password_file = "etcd-password"
ca_file = "etcd-ca.pem"
certificate_file = "node.pem"
key_file = "node.key"
"#;

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
        ETCD,
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
fn the_example_shows_every_key_of_etcd() {
    for line in ETCD.lines().skip(1) {
        let shown = EXAMPLE.lines().any(|shown| shown.trim_start_matches("# ").starts_with(line));
        assert!(shown, "{line}");
    }
}

#[test]
fn combinations_of_the_store_that_make_no_sense_are_explained() {
    let etcd =
        |more: &str| format!("[store]\nengine = \"etcd\"\nendpoints = [\"http://127.0.0.1:2379\"]\n{more}\n");
    let tls = |more: &str| etcd(more).replace("http:", "https:");
    let far = |more: &str| etcd(more).replace("127.0.0.1", "10.0.0.1");
    for (store, expected) in [
        ("[store]\nengine = \"etc\"\n".to_owned(), "c.toml:8: unknown value `etc`; did you mean `etcd`?"),
        ("[store]\nendpoint = []\n".into(), "c.toml:8: unknown key `endpoint`; did you mean `endpoints`?"),
        (
            "[store]\nprefix = \"a/\"\n".into(),
            "c.toml:7: [store] `prefix` is for etcd; write engine = \"etcd\" too, or leave it out",
        ),
        (
            "[store]\nengine = \"embedded\"\nlease_seconds = 2\n".into(),
            "c.toml:7: [store] `lease_seconds` is for etcd",
        ),
        (
            "[store]\nengine = \"etcd\"\n".into(),
            "c.toml:7: [store] engine = \"etcd\" needs `endpoints`, such as",
        ),
        ("[store]\nengine = \"etcd\"\nendpoints = []\n".into(), "c.toml:7: [store] no endpoint is named"),
        (etcd("prefix = \"kms\""), "c.toml:7: [store] the prefix `kms` must be a name that ends with /"),
        (etcd("node = \"\""), "c.toml:7: [store] `node` must be 1 to 128"),
        (etcd("cluster = \"a\\n\""), "c.toml:7: [store] `cluster` must be 1 to 128"),
        (etcd("lease_seconds = 0.4"), "c.toml:7: [store] `lease_seconds` must be from 0.5 to 30"),
        (etcd("lease_seconds = nan"), "c.toml:7: [store] `lease_seconds` must be from 0.5 to 30"),
        (etcd("lease_seconds = 31"), "c.toml:7: [store] `lease_seconds` must be from 0.5 to 30"),
        (etcd("deadline_seconds = 0"), "c.toml:7: [store] `deadline_seconds` must be from 0.5 to 60"),
        (etcd("lease_seconds = 20"), "c.toml:7: [store] `deadline_seconds` must be at least half"),
        (etcd("user = \"u\""), "c.toml:7: [store] `user` needs `password_file`"),
        (etcd("password_file = \"p\""), "c.toml:7: [store] `password_file` needs `user`"),
        (far("user = \"u\"\npassword_file = \"p\""), "c.toml:7: [store] `user` over http://"),
        (etcd("ca_file = \"c\""), "c.toml:7: [store] certificates are for https:// endpoints"),
        (etcd("key_file = \"c\""), "c.toml:7: [store] certificates are for https:// endpoints"),
        (tls(""), "c.toml:7: [store] https:// endpoints need `ca_file`"),
        (tls("ca_file = \"c\"\ncertificate_file = \"c\""), "c.toml:7: [store] `certificate_file` needs"),
        (tls("ca_file = \"c\"\nkey_file = \"c\""), "c.toml:7: [store] `key_file` needs"),
    ] {
        let error = format!("{:#}", parse(&format!("{MINIMAL}{store}")).expect_err(&store));
        assert!(error.starts_with(expected), "{store}: {error}");
    }
}

#[test]
fn what_etcd_needs_from_files_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("c.toml");
    let write = |name: &str, text: &str| files::replace(&folder.path().join(name), text.as_bytes());
    let place = |text: &str| parse(&format!("{MINIMAL}{text}")).expect("accepted").place(&config);
    let refused = || format!("{:#}", place(ETCD).expect_err("refused"));
    assert!(refused().starts_with("[store]: cannot read") && refused().contains("etcd-ca.pem"));
    write("etcd-ca.pem", "nothing").expect("ours");
    assert!(refused().contains("there is no certificate in"), "{}", refused());

    let local =
        |more: &str| format!("[store]\nengine = \"etcd\"\nendpoints = [\"http://127.0.0.1:2379\"]\n{more}\n");
    let Ok(Place::Etcd(options)) = place(&local("node = \"a\"\nlease_seconds = 1.5")) else { panic!("etcd") };
    assert_eq!((options.node.as_str(), options.prefix.as_str()), ("a", "claviger/"));
    assert_eq!((options.lease.as_millis(), options.deadline.as_secs()), (1500, 5));
    assert!(options.login.is_none() && options.tls.is_none() && options.cluster.is_none());

    let with_login = local("user = \"u\"\npassword_file = \"pw\"");
    let error = format!("{:#}", place(&with_login).expect_err("no file"));
    assert!(error.contains("cannot read"), "{error}");
    write("pw", "\n").expect("ours");
    let error = format!("{:#}", place(&with_login).expect_err("empty"));
    assert!(error.contains("must hold a password"), "{error}");
    write("pw", "s e c r e t\n").expect("ours");
    let Ok(Place::Etcd(options)) = place(&with_login) else { panic!("etcd") };
    let login = options.login.expect("a login");
    assert_eq!((login.user.as_str(), login.password.as_str()), ("u", "s e c r e t"));
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
