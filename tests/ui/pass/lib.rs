//! What compiles, as a library: that it does is the test.

#![expect(missing_docs, reason = "each file is one case, and says which")]

pub mod extension_point;
pub mod function;
pub mod own_names;
pub mod plugin;
pub mod service;
pub mod through_macros;
