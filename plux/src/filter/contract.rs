//! What a filter is.

use crate::extension::ExtensionPoint;
use crate::reason::Disabled;
use crate::spec::PluginSpec;

/// May refuse plugins of the extension point `P`, with a reason; a refused one is disabled.
///
/// A manager asks its filters in each attempt to load a plugin: `before_init` about the spec, before
/// the plugin's factory runs, and `before_load` about the initialized plugin, before `should_load` and
/// `load`. They are asked in the order they were added to the
/// [builder](crate::PluginManagerBuilder::filter), after the [process-wide
/// rules](crate::FilterRule::install), and the first refusal counts. The reason is kept, and later
/// loads return it; neither the plugin nor its filters are asked again.
///
/// A filter runs in the task that loads the plugin, and on its thread, so it must not block. No lock
/// of plux's is held meanwhile: it may ask its manager for names and states, but a load that it waits
/// for may never end. A filter that holds a handle on its own manager keeps that alive. A panic in a
/// filter is the failure of the plugin it was asked about.
///
/// ```
/// use plux::{Disabled, ExtensionPoint, PluginFilter, PluginManager, PluginSpec};
///
/// #[plux::extension_point(namespace = "doc.exporters")]
/// pub trait Exporter {
///     fn is_experimental(&self) -> bool {
///         false
///     }
/// }
///
/// /// Looks at the plugin, so it is for one extension point.
/// struct Stable;
///
/// impl PluginFilter<dyn Exporter> for Stable {
///     fn before_load(&self, _: &PluginSpec, plugin: &dyn Exporter) -> Result<(), Disabled> {
///         if plugin.is_experimental() {
///             return Err(Disabled::because("experimental exporters are off"));
///         }
///         Ok(())
///     }
/// }
///
/// /// Looks at the spec alone, so it is for all.
/// struct Released;
///
/// impl<P: ExtensionPoint + ?Sized> PluginFilter<P> for Released {
///     fn before_init(&self, spec: &PluginSpec) -> Result<(), Disabled> {
///         match spec.origin().version {
///             "0.0.0" => Err(Disabled::because("its crate has no release")),
///             _ => Ok(()),
///         }
///     }
/// }
///
/// let manager = PluginManager::<dyn Exporter>::builder(()).filter(Released).filter(Stable).build();
/// ```
pub trait PluginFilter<P: ExtensionPoint + ?Sized>: Send + Sync + 'static {
    /// Asked before the plugin's factory runs; lets pass unless it is overridden.
    ///
    /// # Errors
    /// The reason why the plugin is not to be loaded.
    fn before_init(&self, spec: &PluginSpec) -> Result<(), Disabled> {
        let _ = spec;
        Ok(())
    }

    /// Asked when the factory has run, or when an earlier attempt has left the plugin it made; lets
    /// pass unless it is overridden.
    ///
    /// # Errors
    /// The reason why the plugin is not to be loaded.
    fn before_load(&self, spec: &PluginSpec, plugin: &P) -> Result<(), Disabled> {
        let _ = (spec, plugin);
        Ok(())
    }
}
