//! The debug form of an operation's error is its text: a `main` that returns one prints it so, and so
//! does an `unwrap` in a test.

/// Writes these as they display.
macro_rules! debug_as_text {
    ($($error:ident)+) => { $(
        impl std::fmt::Debug for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    )+ };
}

pub(crate) use debug_as_text;
