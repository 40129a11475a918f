//! The filter that needs no code: globs over what a spec says.

use std::fmt;
use std::panic::Location;

use glob::Pattern;

use super::contract::PluginFilter;
use crate::error::debug_as_text;
use crate::extension::ExtensionPoint;
use crate::reason::Disabled;
use crate::spec::PluginSpec;

/// Refuses the plugins that all of its patterns match, before their factory runs.
///
/// A rule has one to three patterns: for the namespace, for the name and for the origin, which is the
/// package, the crate (the first part of the module path) or the module path, whichever matches. Where
/// any of several rules is to suffice, each of them is added to the manager.
///
/// | in a pattern | matches |
/// |---|---|
/// | `*` | any characters, also none; also `.` and `::` |
/// | `?` | one character |
/// | `[abc]`, `[a-z]` | one of these characters |
/// | `[!abc]`, `[!a-z]` | one other character |
/// | any other character | itself; `[*]`, `[?]` and `[[]` are those without their meaning |
///
/// A pattern matches the whole text, and case counts. `**` beside other characters is an error.
///
/// ```
/// use plux::{FilterRule, PluginManager, RuleError};
///
/// #[plux::extension_point(namespace = "doc.codecs")]
/// pub trait Codec {}
///
/// # fn main() -> Result<(), RuleError> {
/// let manager = PluginManager::<dyn Codec>::builder(())
///     .filter(FilterRule::builder().name("mp[34]").build()?)
///     .filter(FilterRule::builder().origin("legacy-*").name("*-video").build()?)
///     .build();
/// assert!(matches!(FilterRule::builder().build(), Err(RuleError::NoPattern)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct FilterRule {
    namespace: Option<Pattern>,
    name: Option<Pattern>,
    origin: Option<Pattern>,
    place: &'static Location<'static>,
}

impl FilterRule {
    /// Builds a rule; it needs one pattern at least.
    pub fn builder() -> FilterRuleBuilder {
        FilterRuleBuilder::default()
    }

    /// Whether it refuses the plugin of this spec.
    pub fn matches(&self, spec: &PluginSpec) -> bool {
        let origin = spec.origin();
        let krate = origin.module.split("::").next().unwrap_or_default();
        let one_fits = |pattern: &Option<Pattern>, texts: &[&str]| match pattern {
            Some(pattern) => texts.iter().any(|text| pattern.matches(text)),
            None => true,
        };
        one_fits(&self.namespace, &[spec.namespace().as_str()])
            && one_fits(&self.name, &[spec.name().as_str()])
            && one_fits(&self.origin, &[origin.package, krate, origin.module])
    }
}

/// The patterns, and the place where the rule was built.
impl fmt::Display for FilterRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts =
            [("namespace", &self.namespace), ("name", &self.name), ("origin", &self.origin)];
        for (part, pattern) in parts {
            if let Some(pattern) = pattern {
                write!(f, "{part}=`{pattern}` ")?;
            }
        }
        write!(f, "({}:{})", self.place.file(), self.place.line())
    }
}

impl<P: ExtensionPoint + ?Sized> PluginFilter<P> for FilterRule {
    fn before_init(&self, spec: &PluginSpec) -> Result<(), Disabled> {
        if self.matches(spec) {
            return Err(Disabled::because(format!("refused by the filter rule {self}")));
        }
        Ok(())
    }
}

/// Builds a [`FilterRule`]; see [`FilterRule::builder`]. A pattern that is given twice counts as given
/// last.
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until build() is called"]
pub struct FilterRuleBuilder {
    namespace: Option<String>,
    name: Option<String>,
    origin: Option<String>,
}

impl FilterRuleBuilder {
    /// A pattern that the namespace has to match.
    pub fn namespace(mut self, glob: impl Into<String>) -> Self {
        self.namespace = Some(glob.into());
        self
    }

    /// A pattern that the name has to match.
    pub fn name(mut self, glob: impl Into<String>) -> Self {
        self.name = Some(glob.into());
        self
    }

    /// A pattern that the package, the crate or the module path has to match. A spec that was made at
    /// run time without an origin has an empty one.
    pub fn origin(mut self, glob: impl Into<String>) -> Self {
        self.origin = Some(glob.into());
        self
    }

    /// Makes the rule. The place of this call is part of the reason it gives.
    ///
    /// # Errors
    /// [`RuleError`], when there is no pattern or one is not valid.
    #[track_caller]
    pub fn build(self) -> Result<FilterRule, RuleError> {
        if self.namespace.is_none() && self.name.is_none() && self.origin.is_none() {
            return Err(RuleError::NoPattern);
        }
        Ok(FilterRule {
            namespace: compile("namespace", self.namespace)?,
            name: compile("name", self.name)?,
            origin: compile("origin", self.origin)?,
            place: Location::caller(),
        })
    }
}

fn compile(part: &'static str, glob: Option<String>) -> Result<Option<Pattern>, RuleError> {
    let Some(pattern) = glob else { return Ok(None) };
    if pattern.is_empty() {
        return Err(RuleError::Pattern { part, pattern, why: "it is empty" });
    }
    match Pattern::new(&pattern) {
        Ok(compiled) => Ok(Some(compiled)),
        Err(error) => Err(RuleError::Pattern { part, pattern, why: error.msg }),
    }
}

/// Why a filter rule was not made.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// It has no pattern; it would refuse everything.
    #[error(
        "a filter rule without a pattern would refuse everything: give it a namespace, name or origin"
    )]
    NoPattern,
    /// A pattern is not valid.
    #[error("{pattern:?} is no valid glob for the {part} of plugins: {why}")]
    Pattern {
        /// What it was meant for: `namespace`, `name` or `origin`.
        part: &'static str,
        /// The pattern as it was given.
        pattern: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

debug_as_text!(RuleError);
