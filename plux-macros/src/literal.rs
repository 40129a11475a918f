//! The names that attributes give, and those that follow from an item.
//!
//! Trap: a literal or a type that comes through `macro_rules!` is wrapped in a group without
//! delimiters. `LitStr` as syn reads it looks through such groups; a type has to be unwrapped.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Ident, LitStr, Result, Type};

/// As `plux::MAX_LEN`. A name that is valid here only is refused by the constant made of it.
const MAX_LEN: usize = 128;

pub(crate) const RULE: &str = "use 1 to 128 ASCII letters, digits, `_`, `-` or `.`, \
                    the first one a letter or a digit";

pub(crate) fn is_valid_name(text: &str) -> bool {
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
