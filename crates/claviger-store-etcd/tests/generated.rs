//! The generated code is what the `.proto` files say; `UPDATE=1` writes it anew. Nobody needs a protobuf compiler to build.

use std::path::Path;

#[test]
fn the_generated_code_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = tempfile::tempdir().expect("a folder");
    let files = protox::compile(["etcd.proto"], [root.join("proto")]).expect("the files are well-formed");
    tonic_prost_build::configure()
        .out_dir(out.path())
        .server_mod_attribute(".", "#[cfg(feature = \"simulated\")]")
        .compile_fds(files)
        .expect("code is generated");
    for name in ["etcdserverpb.rs", "mvccpb.rs"] {
        let (made, kept) = (out.path().join(name), root.join("src/proto").join(name));
        let made = std::fs::read_to_string(made).expect("generated");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&kept, &made).expect("written");
        }
        let kept = std::fs::read_to_string(&kept).unwrap_or_default();
        assert!(kept == made, "src/proto/{name} is not what the .proto files say; run with UPDATE=1");
    }
}
