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

mod ask;
mod check;
mod client;
mod departures;
mod dial;
mod engine;
mod error;
mod follow;
mod freshness;
mod layout;
mod level;
mod merge;
mod node;
mod options;
mod reach;
mod read;
mod records;
mod replica;
mod send;
mod shared;
#[cfg(feature = "simulated")]
pub mod simulated;
mod status;
mod world;

pub use engine::EtcdEngine;
pub use error::OpenError;
pub use options::{Login, Options, Tls};
pub use status::{MemberAnswer, MemberStatus, NodeStatus, Status};
pub use world::{Dial, Dialing, LeaseClock, Wire, World};
