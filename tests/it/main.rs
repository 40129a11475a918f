//! What plux promises, tested through its public API; one file per topic.
//!
//! The name of a test carries the number of the promise in docs/semantics.md that it holds.

#[cfg(test)]
mod calling;
#[cfg(test)]
mod name;
#[cfg(test)]
mod send;
