//! The dependency graph: pure, linear, over numbers.

mod edges;

mod cycle;

mod dag;

pub(crate) use dag::{Graph, GraphBuilder};

#[cfg(test)]
mod tests;
