//! The literals of the attributes: names and dependencies.
//!
//! Trap: a literal or a type that comes through `macro_rules!` is wrapped in a group without
//! delimiters. `LitStr` as syn reads it looks through such groups; a type has to be unwrapped.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitStr, Result, Token, Type, bracketed};

use crate::args::Errors;

/// As `plux::MAX_LEN`. A name that is valid here only is refused by the constant made of it.
const MAX_LEN: usize = 128;

const RULE: &str = "use 1 to 128 ASCII letters, digits, `_`, `-` or `.`, \
                    the first one a letter or a digit";

fn is_valid_name(text: &str) -> bool {
    text.len() <= MAX_LEN
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// The type without the groups around it.
pub(crate) fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        ty => ty,
    }
}

/// Reads a namespace or a name; `kind` says which.
pub(crate) fn name(kind: &str, input: ParseStream<'_>) -> Result<LitStr> {
    let literal: LitStr = input.parse()?;
    let text = literal.value();
    if is_valid_name(&text) {
        return Ok(literal);
    }
    Err(Error::new(literal.span(), format!("{text:?} is no valid {kind}: {RULE}")))
}

/// The name of what gives none: the identifier in kebab case. A hyphen stands for an underscore,
/// and before a capital that begins a word: `SqsQueue` and `sqs_queue` are `sqs-queue`.
pub(crate) fn name_of(ident: &Ident) -> Result<LitStr> {
    let text: Vec<char> = ident.unraw().to_string().trim_matches('_').chars().collect();
    let mut kebab = String::new();
    for (at, &c) in text.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        let in_word = before.is_some_and(|c| c.is_lowercase() || c.is_ascii_digit());
        let ends_acronym = before.is_some_and(|c| c.is_uppercase())
            && text.get(at + 1).is_some_and(|c| c.is_lowercase());
        if c.is_uppercase() && (in_word || ends_acronym) {
            kebab.push('-');
        }
        kebab.push(if c == '_' { '-' } else { c.to_ascii_lowercase() });
    }
    if is_valid_name(&kebab) {
        return Ok(LitStr::new(&kebab, ident.span()));
    }
    let text = format!("no name follows from `{ident}`; give one with `name = \"…\"`");
    Err(Error::new(ident.span(), text))
}

/// A list of dependencies of one kind, each `"name"` or `"namespace:name"`.
#[derive(Default)]
pub(crate) struct Dependencies(Vec<LitStr>);

impl Dependencies {
    pub(crate) fn read(input: ParseStream<'_>) -> Result<Self> {
        let content;
        bracketed!(content in input);
        let all = Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?;
        let mut errors = Errors::default();
        let mut dependencies: Vec<LitStr> = Vec::new();
        for literal in all {
            let text = literal.value();
            let mut parts = text.splitn(2, ':');
            if !parts.all(is_valid_name) {
                let text = format!("{text:?} is neither `name` nor `namespace:name`: {RULE}");
                errors.push(Error::new(literal.span(), text));
            } else if dependencies.iter().any(|there| there.value() == text) {
                errors.push(Error::new(literal.span(), format!("{text:?} is named twice")));
            } else {
                dependencies.push(literal);
            }
        }
        errors.or(Self(dependencies))
    }

    /// The constants of the spec; `kind` is a `DependencyKind`.
    pub(crate) fn constants(
        &self,
        private: &TokenStream,
        kind: &str,
    ) -> impl Iterator<Item = TokenStream> {
        let kind = Ident::new(kind, Span::call_site());
        self.0.iter().map(move |literal| {
            let text = literal.value();
            let (namespace, name) = match text.split_once(':') {
                Some((namespace, name)) => (quote!(::core::option::Option::Some(#namespace)), name),
                None => (quote!(::core::option::Option::None), text.as_str()),
            };
            quote!(#private::Dependency::literal(#private::DependencyKind::#kind, #namespace, #name))
        })
    }
}
