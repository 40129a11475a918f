//! Namespaces, names and ids: the words by which plugins are found.
//!
//! A literal is checked when the code is compiled ([`Name::literal`]), a run-time string when it
//! is made ([`Name::new`]); nothing further down checks again.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The longest namespace or name, in bytes.
pub const MAX_LEN: usize = 128;

/// A static string costs nothing to copy; a run-time one is shared.
#[derive(Clone)]
enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Text {
    fn as_str(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Shared(text) => text,
        }
    }
}

/// Why a string is no namespace or name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error(
    "{text:?} is no valid {kind}: use 1 to {MAX_LEN} ASCII letters, digits, `_`, `-` or `.`, \
     the first one a letter or a digit"
)]
pub struct NameError {
    /// What the text was meant to be: `namespace` or `name`.
    pub kind: &'static str,
    /// The text as it was given.
    pub text: String,
}

/// Whether `text` may stand as a namespace or a name: 1 to [`MAX_LEN`] ASCII letters, digits,
/// `_`, `-` or `.`, the first one a letter or a digit.
///
/// ```
/// assert!(plux::is_valid_name("aws.services"));
/// assert!(!plux::is_valid_name("a b"));
/// ```
pub const fn is_valid_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes.len() > MAX_LEN || !bytes[0].is_ascii_alphanumeric() {
        return false;
    }
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if !(byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || byte == b'.') {
            return false;
        }
        at += 1;
    }
    true
}

macro_rules! text_type {
    ($(#[$doc:meta])* $type:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $type(Text);

        impl $type {
            #[doc = concat!("Takes a ", $kind, " that is known when the code is compiled.")]
            ///
            /// # Panics
            /// When the text is not valid (see [`is_valid_name`](crate::is_valid_name)); in a
            /// constant that is a compile error.
            pub const fn literal(text: &'static str) -> Self {
                assert!(
                    is_valid_name(text),
                    concat!(
                        "not a valid plux ", $kind, ": use ASCII letters, digits, `_`, `-` or `.`, \
                         the first one a letter or a digit"
                    )
                );
                Self(Text::Static(text))
            }

            #[doc = concat!("Makes a ", $kind, " from a string that is known at run time.")]
            ///
            /// # Errors
            /// [`NameError`] when the text is not valid.
            pub fn new(text: &str) -> Result<Self, NameError> {
                if is_valid_name(text) {
                    Ok(Self(Text::Shared(Arc::from(text))))
                } else {
                    Err(NameError { kind: $kind, text: text.to_owned() })
                }
            }

            /// The text of one that [`literal`](Self::literal) made, for other constants.
            pub(crate) const fn as_literal(&self) -> &'static str {
                match self.0 {
                    Text::Static(text) => text,
                    Text::Shared(_) => panic!("made at run time"),
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.as_str() == other.as_str()
            }
        }

        impl Eq for $type {}

        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $type {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.as_str().cmp(other.as_str())
            }
        }

        impl Hash for $type {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl PartialEq<str> for $type {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $type {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }
    };
}

text_type! {
    /// A group of plugins with one contract, such as `aws.services`.
    ///
    /// ```
    /// use plux::Namespace;
    /// const SERVICES: Namespace = Namespace::literal("aws.services");
    /// assert_eq!(SERVICES, "aws.services");
    /// assert!(Namespace::new("aws services").is_err());
    /// ```
    Namespace, "namespace"
}

text_type! {
    /// A plugin's name, unique in its namespace.
    ///
    /// ```
    /// use plux::Name;
    /// assert_eq!(Name::literal("s3"), "s3");
    /// assert!(Name::new("").is_err());
    /// ```
    Name, "name"
}

/// `namespace:name`, by which a plugin is known across namespaces.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PluginId {
    /// The group.
    pub namespace: Namespace,
    /// The name in it.
    pub name: Name,
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.namespace, self.name)
    }
}
