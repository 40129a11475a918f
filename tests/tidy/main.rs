//! The rules of the tree, run as a test: what ARCHITECTURE.md, docs/semantics.md and
//! CONTRIBUTING.md say about the sources is read from there or held against them here.
//!
//! Trap: the sources are read as tokens, so a comment or a string that quotes a forbidden word is
//! no offence. A check that reads plain text must keep its own needles out of this folder.

mod bans;
mod defaults;
mod floors;
mod manifest;
mod promises;
mod shape;
mod tokens;
mod tree;

/// Fails with every problem, one a line.
fn none(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
