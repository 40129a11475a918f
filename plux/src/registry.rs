//! What is linked into the binary: one slice of records, filled by the attributes and by `link!`.
//!
//! Trap: the identifier of the slice carries the major version, because two slices of one name
//! panic at start.

use crate::name::Namespace;
use crate::origin::Origin;
use crate::spec::PluginSpec;

/// One entry of the registry.
#[derive(Debug)]
pub enum Record {
    /// A plugin.
    Plugin(PluginSpec),
    /// A crate that `plux::link!` names.
    Link {
        /// The crate, as its module paths begin.
        krate: &'static str,
        /// Where it was named.
        origin: Origin,
    },
}

/// The registry of version 0 of plux; only generated code writes to it.
#[linkme::distributed_slice]
pub static PLUX_RECORDS_V0: [Record];

/// The linked specs of a namespace, in link order.
pub(crate) fn specs_of(namespace: &Namespace) -> impl Iterator<Item = &'static PluginSpec> {
    PLUX_RECORDS_V0.iter().filter_map(move |record| match record {
        Record::Plugin(spec) if spec.namespace() == namespace => Some(spec),
        _ => None,
    })
}
