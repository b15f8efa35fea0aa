//! The revocation protocol of several nodes over one etcd, as a model small enough to be checked exhaustively.
//!
//! `docs/revocation.md` says the protocol in words. Here it is as steps: those of a serving node ([`NodeStep`]), those of a writer
//! ([`WriterStep`]), etcd's, and time. A message or a process is as slow as the checker likes, because any other step may come first;
//! whatever depends on time is the age of something, in ticks of true time, and clocks differ by when an age counts as over.
//!
//! Each [`Rule`] can be left out. That the checker then finds a violation shows that the rule is needed, and that the checker would see it.
//!
//! A node of the product serves and writes. Here the two sides are apart, with a watch each, which allows more than the product does.

mod bounds;
mod check;
mod node_step;
mod protocol;
mod rule;
mod state;
mod writer_step;

pub use bounds::Bounds;
pub use check::{Report, check, check_all, suite};
pub use node_step::NodeStep;
pub use protocol::{BOUNDED, Protocol, SAFE, Step};
pub use rule::Rule;
pub use writer_step::WriterStep;
