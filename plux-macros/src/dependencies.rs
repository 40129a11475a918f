//! Lists of dependencies: names, and for what is required the reaction to its end.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::token::Paren;
use syn::{Error, Ident, LitStr, Result, Token, bracketed, parenthesized};

use crate::args::Errors;
use crate::literal::{RULE, is_valid_name};

/// A list of dependencies of one kind.
#[derive(Default)]
pub(crate) struct Dependencies(Vec<Dependency>);

/// `"name"` or `"namespace:name"`, or that in the parentheses of a reaction: `keep("name")`.
struct Dependency {
    reaction: Option<Ident>,
    name: LitStr,
}

impl Parse for Dependency {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(Ident) {
            return Ok(Self { reaction: None, name: input.parse()? });
        }
        let reaction: Ident = input.parse()?;
        if !input.peek(Paren) {
            let text =
                "write a name, such as `\"db\"`, or one with a reaction, such as `keep(\"db\")`";
            return Err(Error::new(reaction.span(), text));
        }
        let content;
        parenthesized!(content in input);
        Ok(Self { reaction: Some(reaction), name: content.parse()? })
    }
}

impl Dependencies {
    /// Reads the list that `key` has.
    pub(crate) fn read(key: &Ident, input: ParseStream<'_>) -> Result<Self> {
        let content;
        bracketed!(content in input);
        let all = Punctuated::<Dependency, Token![,]>::parse_terminated(&content)?;
        let mut errors = Errors::default();
        let mut dependencies: Vec<Dependency> = Vec::new();
        for dependency in all {
            let Dependency { reaction, name } = &dependency;
            errors.keep(reaction.as_ref().map_or(Ok(()), |reaction| check(key, reaction)));
            let text = name.value();
            let mut parts = text.splitn(2, ':');
            if !parts.all(is_valid_name) {
                let text = format!("{text:?} is neither `name` nor `namespace:name`: {RULE}");
                errors.push(Error::new(name.span(), text));
            } else if dependencies.iter().any(|there| there.name.value() == text) {
                errors.push(Error::new(name.span(), format!("{text:?} is named twice")));
            } else {
                dependencies.push(dependency);
            }
        }
        errors.or(Self(dependencies))
    }

    /// The words that say a reaction.
    pub(crate) fn reactions(&self) -> impl Iterator<Item = &Ident> {
        self.0.iter().filter_map(|dependency| dependency.reaction.as_ref())
    }

    /// The constants of the spec; `kind` is a `DependencyKind`.
    pub(crate) fn constants(
        &self,
        private: &TokenStream,
        kind: &str,
    ) -> impl Iterator<Item = TokenStream> {
        let kind = Ident::new(kind, Span::call_site());
        self.0.iter().map(move |Dependency { reaction, name }| {
            let text = name.value();
            let (namespace, name) = match text.split_once(':') {
                Some((namespace, name)) => (quote!(::core::option::Option::Some(#namespace)), name),
                None => (quote!(::core::option::Option::None), text.as_str()),
            };
            let reaction = reaction.iter().filter_map(variant);
            quote! {
                #private::Dependency::literal(#private::DependencyKind::#kind, #namespace, #name)
                    #(.with_reaction(#private::Reaction::#reaction))*
            }
        })
    }
}

fn check(key: &Ident, reaction: &Ident) -> Result<()> {
    if variant(reaction).is_none() {
        let text = format!(
            "`{reaction}` is no reaction: write `restart(\"…\")`, `stop(\"…\")` or `keep(\"…\")`"
        );
        return Err(Error::new(reaction.span(), text));
    }
    if key == "requires" {
        return Ok(());
    }
    let text = format!(
        "`{reaction}` says what the end of a requirement does; what stands in `{key}` does nothing \
         when it ends: write the name alone, or put this into `requires`"
    );
    Err(Error::new(reaction.span(), text))
}

/// The variant of `Reaction` that the word stands for.
fn variant(reaction: &Ident) -> Option<Ident> {
    let variant = match reaction.to_string().as_str() {
        "restart" => "Restart",
        "stop" => "Stop",
        "keep" => "Keep",
        _ => return None,
    };
    Some(Ident::new(variant, Span::call_site()))
}
