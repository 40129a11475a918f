//! The supervisor.

mod core;
