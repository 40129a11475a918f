//! What is linked into the binary: one slice of records, filled by the attributes and by `link!`.
//!
//! Trap: the identifier of the slice carries the major version, because two slices of one name
//! panic as soon as one of them is read.

use std::fmt;

use crate::name::Namespace;
use crate::origin::Origin;
use crate::spec::PluginSpec;

/// One entry of the registry.
#[derive(Debug)]
pub enum Record {
    /// A plugin.
    Plugin(PluginSpec),
    /// A crate that `link!` names.
    Link(LinkedCrate),
}

/// The registry of version 0 of plux; only generated code writes to it.
#[linkme::distributed_slice]
pub static PLUX_RECORDS_V0: [Record];

/// The linked specs, in link order.
pub(crate) fn specs() -> impl Iterator<Item = &'static PluginSpec> {
    PLUX_RECORDS_V0.iter().filter_map(|record| match record {
        Record::Plugin(spec) => Some(spec),
        Record::Link(_) => None,
    })
}

/// The linked specs of a namespace, in link order.
pub(crate) fn specs_of(namespace: &Namespace) -> impl Iterator<Item = &'static PluginSpec> {
    specs().filter(move |spec| spec.namespace() == namespace)
}

/// A crate that [`link!`](crate::link) names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkedCrate {
    /// Its name, as module paths begin with it.
    pub name: &'static str,
    /// Where it is named.
    pub origin: Origin,
}

impl LinkedCrate {
    /// For generated code.
    #[doc(hidden)]
    pub const fn new(name: &'static str, origin: Origin) -> Self {
        Self { name, origin }
    }
}

impl fmt::Display for LinkedCrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "crate `{}`, linked at {}", self.name, self.origin)
    }
}

/// The crates that [`link!`](crate::link) names although they register nothing, by name and place:
/// most often a crate whose plugins are behind a feature that is off, or one that was linked by
/// mistake. A crate that only links others is not silent. [`RegistryCheck`](crate::RegistryCheck) tells
/// of them too.
///
/// ```
/// for linked in plux::silent_crates() {
///     eprintln!("{linked}, has no plugins");
/// }
/// ```
pub fn silent_crates() -> Vec<LinkedCrate> {
    let mut silent: Vec<LinkedCrate> = PLUX_RECORDS_V0
        .iter()
        .filter_map(|record| match record {
            Record::Link(linked) => Some(*linked),
            Record::Plugin(_) => None,
        })
        .filter(|linked| !PLUX_RECORDS_V0.iter().any(|record| is_of(record, linked.name)))
        .collect();
    silent.sort_by_key(|linked| (linked.name, linked.origin.file, linked.origin.line));
    silent
}

/// Whether the crate `name` made this record.
fn is_of(record: &Record, name: &str) -> bool {
    let origin = match record {
        Record::Plugin(spec) => spec.origin(),
        Record::Link(linked) => linked.origin,
    };
    origin.module.split("::").next() == Some(name)
}

/// Names crates, so that the linker keeps their plugins.
///
/// **A crate that nothing names is not linked, whatever `Cargo.toml` says**: its plugins are then
/// missing, without a word and in every profile. So the binary names the crates whose plugins it
/// wants, once and anywhere:
///
/// ```
/// # extern crate std as aws_s3;
/// # extern crate std as aws_sqs;
/// plux::link!(aws_s3, aws_sqs);
/// # fn main() {}
/// ```
///
/// What is named is remembered: [`silent_crates`](crate::silent_crates) reports those that register
/// nothing. A dependency that `Cargo.toml` gives another name is written with both:
/// `plux::link!(queue = aws_sqs)`, where `queue` is the name here and `aws_sqs` the crate's own.
#[macro_export]
macro_rules! link {
    (@one $krate:ident) => { $crate::link!(@one $krate = $krate); };
    (@one $krate:ident = $name:ident) => {
        const _: () = {
            use ::$krate as _;
            #[$crate::__private::linkme::distributed_slice($crate::__private::PLUX_RECORDS_V0)]
            #[linkme(crate = $crate::__private::linkme)]
            static LINK: $crate::__private::Record = $crate::__private::Record::Link(
                $crate::__private::LinkedCrate::new(stringify!($name), $crate::origin!()),
            );
        };
    };
    ($($krate:ident $(= $name:ident)?),+ $(,)?) => {
        $($crate::link!(@one $krate $(= $name)?);)+
    };
}
