//! `key = value, …`: the grammar that all attributes share.
//!
//! Trap: one mistake must not hide the next. A bad key or value is remembered, and reading goes on
//! behind the next comma; so every `take` may be called after another one has failed.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Ident, Path, Result, Token};

use crate::krate::Krate;

/// The mistakes found so far, each at its place.
#[derive(Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// The value, or `None` when that was a mistake, which is kept.
    pub(crate) fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// `value`, or all mistakes.
    pub(crate) fn or<T>(self, value: T) -> Result<T> {
        match self.0 {
            Some(errors) => Err(errors),
            None => Ok(value),
        }
    }

    /// One `compile_error!` for each mistake.
    pub(crate) fn to_compile_error(&self) -> TokenStream {
        self.0.as_ref().map(Error::to_compile_error).unwrap_or_default()
    }
}

/// The keys of one attribute, but for `crate`, which all attributes have.
pub(crate) trait Keys: Default {
    /// All keys, in the order in which they are documented, in groups.
    const KNOWN: &'static [&'static [&'static str]];

    /// Reads the value of `key`, which is one of [`Keys::KNOWN`] and comes once.
    fn take(&mut self, key: &Ident, value: ParseStream<'_>) -> Result<()>;
}

/// Reads the arguments of an attribute, as far as they are right.
pub(crate) fn read<K: Keys>(tokens: TokenStream, errors: &mut Errors) -> (K, Krate) {
    let (mut keys, mut krate) = (K::default(), Krate::default());
    let mut seen: Vec<Ident> = Vec::new();
    let read = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let result = read_one(&mut keys, &mut krate, &mut seen, input);
            if errors.keep(result).is_none() {
                skip_value(input)?;
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    };
    let result = read.parse2(tokens);
    errors.keep(result);
    (keys, krate)
}

fn read_one<K: Keys>(
    keys: &mut K,
    krate: &mut Krate,
    seen: &mut Vec<Ident>,
    input: ParseStream<'_>,
) -> Result<()> {
    let key = input.call(Ident::parse_any)?;
    if seen.contains(&key) {
        return Err(Error::new(key.span(), format!("`{key}` is given twice")));
    }
    seen.push(key.clone());
    let known = K::KNOWN.concat();
    if key != "crate" && !known.iter().any(|known| key == known) {
        let known = known.join("`, `");
        let text = format!("unknown key `{key}`; there are `{known}`, `crate`");
        return Err(Error::new(key.span(), text));
    }
    input.parse::<Token![=]>()?;
    if key == "crate" {
        *krate = Krate::new(input.call(Path::parse_mod_style)?);
    } else {
        keys.take(&key, input)?;
    }
    if input.is_empty() || input.peek(Token![,]) {
        Ok(())
    } else {
        Err(input.error("expected `,`"))
    }
}

/// Goes on to the next comma that does not stand between angle brackets.
fn skip_value(input: ParseStream<'_>) -> Result<()> {
    let mut depth = 0_usize;
    while !input.is_empty() && (depth > 0 || !input.peek(Token![,])) {
        if let TokenTree::Punct(punct) = input.parse()? {
            match punct.as_char() {
                '<' => depth += 1,
                '>' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
    Ok(())
}
