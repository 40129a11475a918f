//! A local cloud on plux: one gateway port, and AWS services that start on their first request.
//!
//! The library is what the binary is made of. README.md is a tour from each pattern to its file.

pub mod arguments;
pub mod aws;
mod cloud;
mod gateway;
mod host;
pub mod list;
pub mod logging;
#[cfg(feature = "s3")]
mod s3;
pub mod storage;

pub use cloud::{Cloud, CloudService, Credentials, Settings};
pub use host::Host;
