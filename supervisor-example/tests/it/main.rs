//! The started binary: driven by an S3 client that nobody here wrote, and by plain HTTP where no
//! client would do what is tested.
//!
//! The trap: nothing here may depend on how fast the machine is. A test waits for what it can
//! observe; [`cloud::DEADLINE`] bounds a hang and nothing else.

#![expect(clippy::expect_used, reason = "what a test is made of fails as a test does")]

mod absent;
mod admin;
mod cloud;
mod commands;
mod disable;
mod kills;
mod objects;
mod signals;
mod starting;
