//! The Huawei Cloud dialect: KMS, IAM and the repo-encryption group of `CodeArts` Repo.

mod codearts;
mod dialect;
mod iam;
mod kms;
#[cfg(test)]
mod stale;
#[cfg(test)]
mod testing;
mod wire;

pub use dialect::{Huawei, Settings};
