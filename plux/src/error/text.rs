//! The debug form of an operation's error is its text: a `main` that returns one prints it so, and so
//! does an `unwrap` in a test.

use std::fmt;

use crate::name::Name;

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

/// Names, as they stand in a sentence.
pub(super) struct List<'a>(pub(super) &'a [Name]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}`{name}`")?;
        }
        Ok(())
    }
}
