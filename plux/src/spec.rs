//! What is known of a plugin before any of its code runs.
//!
//! The macros build a [`PluginSpec`] as a constant; [`PluginSpec::new`] makes one at run time. Both are
//! the same to everything further on.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::error::BoxError;
use crate::name::{Name, Namespace, PluginId};
use crate::options::ServiceOptions;
use crate::origin::Origin;
use crate::restart::Reaction;

/// How a plugin depends on another, in systemd's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DependencyKind {
    /// Pulled in, and ordered; without it there is no dependant.
    Requires,
    /// Pulled in and waited for; the dependant goes on without it.
    Wants,
    /// Pulls nothing: orders start and stop where both take part.
    After,
}

impl fmt::Display for DependencyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requires => "requires",
            Self::Wants => "wants",
            Self::After => "after",
        })
    }
}

/// One dependency of a plugin: its kind, and whom it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// How it depends.
    pub kind: DependencyKind,
    /// The other's namespace; `None` is the plugin's own.
    pub namespace: Option<Namespace>,
    /// The other's name.
    pub name: Name,
    /// Of what is required: what its end does to this one. `None` is the service's
    /// [own](ServiceOptions::reaction).
    pub reaction: Option<Reaction>,
}

impl Dependency {
    /// Takes a dependency that is known when the code is compiled: `name`, or `namespace:name`.
    ///
    /// # Panics
    /// When a part is not valid; in a constant that is a compile error.
    pub const fn literal(
        kind: DependencyKind,
        namespace: Option<&'static str>,
        name: &'static str,
    ) -> Self {
        let namespace = match namespace {
            Some(text) => Some(Namespace::literal(text)),
            None => None,
        };
        Self { kind, namespace, name: Name::literal(name), reaction: None }
    }

    /// Sets what the end of what is required does to this one. On wishes and orders it says nothing.
    ///
    /// ```
    /// use plux::{Dependency, DependencyKind, Reaction};
    ///
    /// const CACHE: Dependency =
    ///     Dependency::literal(DependencyKind::Requires, None, "cache").with_reaction(Reaction::Keep);
    /// assert_eq!(CACHE.reaction, Some(Reaction::Keep));
    /// ```
    #[must_use]
    pub const fn with_reaction(mut self, reaction: Reaction) -> Self {
        self.reaction = Some(reaction);
        self
    }
}

type Make<P> = dyn Fn() -> Result<Arc<P>, BoxError> + Send + Sync;

/// Makes the plugin: typed by its extension point, erased in the spec.
pub struct Factory<P: ?Sized> {
    make: Maker<P>,
}

enum Maker<P: ?Sized> {
    Static(fn() -> Result<Arc<P>, BoxError>),
    Shared(Box<Make<P>>),
}

impl<P: ?Sized> Factory<P> {
    /// A factory known when the code is compiled.
    pub const fn new(make: fn() -> Result<Arc<P>, BoxError>) -> Self {
        Self { make: Maker::Static(make) }
    }

    /// A factory made at run time.
    pub fn from_fn(make: impl Fn() -> Result<Arc<P>, BoxError> + Send + Sync + 'static) -> Self {
        Self { make: Maker::Shared(Box::new(make)) }
    }

    /// Runs it. User code: it may fail and it may panic.
    pub(crate) fn make(&self) -> Result<Arc<P>, BoxError> {
        match &self.make {
            Maker::Static(make) => make(),
            Maker::Shared(make) => make(),
        }
    }
}

impl<P: ?Sized> fmt::Debug for Factory<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Factory<{}>", std::any::type_name::<P>())
    }
}

/// A [`Factory`] whose extension point is known by its type id only.
pub trait AnyFactory: Any + Send + Sync + fmt::Debug {
    /// The extension point's type, for messages.
    fn extension_point(&self) -> &'static str;
}

impl<P: ?Sized + 'static> AnyFactory for Factory<P> {
    fn extension_point(&self) -> &'static str {
        std::any::type_name::<P>()
    }
}

#[derive(Debug)]
enum FactoryRef {
    Static(&'static dyn AnyFactory),
    Shared(Box<dyn AnyFactory>),
}

/// Elsewhere, because they are large and mostly nothing is set.
#[derive(Debug)]
enum OptionsRef {
    Static(&'static ServiceOptions),
    Own(Box<ServiceOptions>),
}

/// The constant description of a plugin.
#[derive(Debug)]
pub struct PluginSpec {
    namespace: Namespace,
    name: Name,
    factory: FactoryRef,
    dependencies: Cow<'static, [Dependency]>,
    service: OptionsRef,
    origin: Origin,
    record: &'static [u8],
}

/// What two edges to one service say of its end.
pub(crate) type TwoReactions = (Option<Reaction>, Option<Reaction>);

impl PluginSpec {
    /// For generated code.
    #[doc(hidden)]
    pub const fn literal(
        namespace: Namespace,
        name: &'static str,
        factory: &'static dyn AnyFactory,
        dependencies: &'static [Dependency],
        service: &'static ServiceOptions,
        origin: Origin,
        record: &'static [u8],
    ) -> Self {
        Self {
            namespace,
            name: Name::literal(name),
            factory: FactoryRef::Static(factory),
            dependencies: Cow::Borrowed(dependencies),
            service: OptionsRef::Static(service),
            origin,
            record,
        }
    }

    /// A spec made at run time, for a finder of one's own. The namespace is the manager's; the
    /// factory runs once per attempt to initialise the plugin.
    #[track_caller]
    pub fn new<P: ?Sized + 'static>(
        namespace: Namespace,
        name: Name,
        factory: impl Fn() -> Result<Arc<P>, BoxError> + Send + Sync + 'static,
    ) -> Self {
        let place = std::panic::Location::caller();
        Self {
            namespace,
            name,
            factory: FactoryRef::Shared(Box::new(Factory::from_fn(factory))),
            dependencies: Cow::Borrowed(&[]),
            service: OptionsRef::Static(&ServiceOptions::NONE),
            origin: Origin::new("", "", "", place.file(), place.line()),
            record: &[],
        }
    }

    /// Adds a dependency.
    #[must_use]
    pub fn with_dependency(mut self, dependency: Dependency) -> Self {
        self.dependencies.to_mut().push(dependency);
        self
    }

    /// Sets what a supervisor should know of the service.
    #[must_use]
    pub fn with_service(mut self, service: ServiceOptions) -> Self {
        self.service = OptionsRef::Own(Box::new(service));
        self
    }

    /// Sets the origin, which is otherwise the place that called [`PluginSpec::new`].
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The group.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The name in the group.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// `namespace:name`.
    pub fn id(&self) -> PluginId {
        PluginId { namespace: self.namespace.clone(), name: self.name.clone() }
    }

    /// All dependencies, as declared.
    pub fn dependencies(&self) -> &[Dependency] {
        &self.dependencies
    }

    /// What the attributes set for a service.
    pub fn service(&self) -> ServiceOptions {
        match &self.service {
            OptionsRef::Static(options) => **options,
            OptionsRef::Own(options) => **options,
        }
    }

    /// Where it was registered.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// What the attribute has left in a link section for tools that read a binary without running it:
    /// after the bytes `\x7fPLUXREC` three little-endian `u32` (the version of the layout, which is
    /// 1, the length of the text, and its CRC-32), then the text, a JSON object. Empty for a spec made
    /// at run time.
    ///
    /// The object says `namespace`, `name`, `extension_point`, `crate`, `version`, `module`, `file`,
    /// `line`, `requires`, `wants` and `after`. The section is `.plux.records` in ELF,
    /// `__DATA,__plux_records` in Mach-O and `.pluxrec` in COFF.
    pub fn record(&self) -> &'static [u8] {
        self.record
    }

    /// What it requires twice with two things said of its end: only one of them could hold.
    pub(crate) fn two_reactions(&self) -> Vec<(PluginId, TwoReactions)> {
        let requires = |edge: &&Dependency| edge.kind == DependencyKind::Requires;
        let edges = || self.dependencies().iter().filter(requires);
        if edges().all(|edge| edge.reaction.is_none()) {
            return Vec::new();
        }
        let (mut said, mut found) = (FxHashMap::default(), Vec::new());
        for edge in edges() {
            let namespace = edge.namespace.as_ref().unwrap_or(self.namespace());
            let before = *said.entry((namespace, &edge.name)).or_insert(edge.reaction);
            if before != edge.reaction {
                let id = PluginId { namespace: namespace.clone(), name: edge.name.clone() };
                found.push((id, (before, edge.reaction)));
            }
        }
        found
    }

    /// The erased factory; resolving it is a checked downcast.
    pub(crate) fn factory(&self) -> &dyn AnyFactory {
        match &self.factory {
            FactoryRef::Static(factory) => *factory,
            FactoryRef::Shared(factory) => factory.as_ref(),
        }
    }
}

/// A spec as finders hand it on: of the registry, or made at run time.
#[derive(Debug, Clone)]
pub enum SpecRef {
    /// Linked into the binary.
    Static(&'static PluginSpec),
    /// Made at run time.
    Shared(Arc<PluginSpec>),
}

impl Deref for SpecRef {
    type Target = PluginSpec;

    fn deref(&self) -> &PluginSpec {
        match self {
            Self::Static(spec) => spec,
            Self::Shared(spec) => spec,
        }
    }
}

impl From<PluginSpec> for SpecRef {
    fn from(spec: PluginSpec) -> Self {
        Self::Shared(Arc::new(spec))
    }
}
