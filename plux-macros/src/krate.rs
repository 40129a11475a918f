//! Where generated code finds plux: `::plux`, or what `crate = path` says.
//!
//! Trap: generated code names nothing but this path, `::core` and `::std`; a user's crate may
//! have an item of any other name, and may know plux under another.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Path, parse_quote};

/// The path of plux in the user's crate.
pub(crate) struct Krate(Path);

impl Krate {
    /// What `crate = path` says.
    pub(crate) fn new(path: Path) -> Self {
        Self(path)
    }

    /// The door of plux for generated code.
    pub(crate) fn private(&self) -> TokenStream {
        quote!(#self::__private)
    }

    /// The same at another place, for what the compiler may find wrong because of what is there.
    pub(crate) fn private_at(&self, place: Span) -> TokenStream {
        let at_place = |mut token: TokenTree| {
            token.set_span(place);
            token
        };
        self.private().into_iter().map(at_place).collect()
    }
}

impl Default for Krate {
    fn default() -> Self {
        Self(parse_quote!(::plux))
    }
}

impl ToTokens for Krate {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}
