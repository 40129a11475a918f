//! Where something was registered: what every error points at.

use std::fmt;

/// Where a plugin was registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The package, as in its `Cargo.toml`.
    pub package: &'static str,
    /// The package's version.
    pub version: &'static str,
    /// The module path; its first segment is the crate.
    pub module: &'static str,
    /// The source file.
    pub file: &'static str,
    /// The line of the registration, from 1.
    pub line: u32,
}

impl Origin {
    /// Puts an origin together; [`origin!`](crate::origin) does so for the place it stands at.
    pub const fn new(
        package: &'static str,
        version: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
    ) -> Self {
        Self { package, version, module, file, line }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        match self.package {
            "" => Ok(()),
            package => write!(f, " ({package} {})", self.version),
        }
    }
}

/// The [`Origin`] of the place it stands at.
///
/// ```
/// let here = plux::origin!();
/// assert!(here.line > 0);
/// ```
#[macro_export]
macro_rules! origin {
    () => {
        $crate::Origin::new(
            ::core::env!("CARGO_PKG_NAME"),
            ::core::env!("CARGO_PKG_VERSION"),
            ::core::module_path!(),
            ::core::file!(),
            ::core::line!(),
        )
    };
}
