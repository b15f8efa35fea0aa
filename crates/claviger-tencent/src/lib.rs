//! The Tencent Cloud dialect: KMS 2019-01-18, CAM 2019-01-16, STS 2018-08-13 and part of tag 2018-08-13, API 3.0 with signatures
//! v3 (`TC3-HMAC-SHA256`) and v1 (`HmacSHA1`, `HmacSHA256`).

mod cam;
mod dialect;
#[cfg(test)]
mod golden;
mod kms;
#[cfg(test)]
mod stale;
mod sts;
mod tag;
#[cfg(test)]
mod testing;
mod wire;

pub use cam::parse_policy;
pub use dialect::{Settings, Tencent};
