//! The attributes of plux. Use them through the `plux` crate, which re-exports and documents them.
