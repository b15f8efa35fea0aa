//! The domain: accounts, users, access keys, policies, keys, tags, bindings, delegations and the audit of all that is done to
//! them. Nothing here knows HTTP, and no type is named after a cloud; a dialect translates.
//!
//! The way in is a [`Cx`]: one request of one caller with the permission of its action. Loading a thing through it checks that
//! permission and gives a [`Granted`] thing, and nothing can be used or changed without one.

pub mod access_key;
pub mod account;
pub mod audit;
mod authority;
mod cache;
mod caller;
mod clock;
mod cx;
pub mod delegation;
pub mod fault;
mod ids;
pub mod key;
mod label;
mod loaded;
pub mod permission;
pub mod policies;
pub mod policy;
mod preset;
pub mod records;
pub mod region;
mod sweep;
pub mod tag;
pub mod token;
pub mod user;
mod workers;

pub use authority::{Authority, Limits, OpenError};
pub use caller::{Caller, Proof, Scope};
pub use claviger_crypto::{
    Entropy, MacKey, RootKey, Secret, WrapAlgorithm, hex_lower, hkdf_sha256, sha256, sha256_hex,
};
pub use clock::{Clock, Moment};
pub use cx::{AccessKeyOwner, Cx, Granted};
pub use fault::Fault;
pub use ids::{AccountId, HexId, KeyId, PolicyId, RegionId, RingId, UserId};
pub use loaded::{LoadedAccessKey, LoadedKey, LoadedPolicy};
pub use permission::Permission;
