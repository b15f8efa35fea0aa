//! The [`Engine`](claviger_store::Engine) over an etcd cluster: any number of equal nodes, and a commit that is law on all of
//! them before it is answered. See `docs/revocation.md` for the protocol.

/// etcd's messages and stubs, generated from `proto/`; `tests/generated.rs` keeps them so.
pub mod proto {
    #[expect(missing_docs, clippy::pedantic, reason = "generated")]
    pub mod etcdserverpb {
        include!("proto/etcdserverpb.rs");
    }
    #[expect(missing_docs, clippy::pedantic, reason = "generated")]
    pub mod mvccpb {
        include!("proto/mvccpb.rs");
    }
}

mod options;
#[cfg(feature = "simulated")]
pub mod simulated;
mod world;

pub use options::{Login, Options, Tls};
pub use world::{Dial, Dialing, LeaseClock, Wire, World};
