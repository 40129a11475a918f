//! `#[plugin]` on the impl of an extension point's trait, or on a factory function.
//!
//! Trap: an impl becomes an async-trait impl even when the arguments are wrong; else its `async fn`
//! would be mistakes too.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Error, Ident, ImplItem, Item, ItemFn, ItemImpl, LitStr, Path, Result, ReturnType, Type,
    parse_quote,
};

use crate::args::{self, Errors};
use crate::krate::Krate;
use crate::literal;
use crate::registration::{Args, Registration};

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let (args, krate) = args::read::<Args>(args, &mut errors);
    match syn::parse2(item)? {
        Item::Impl(item) => Ok(of_impl(&args, &krate, item, errors)),
        Item::Fn(item) => Ok(of_fn(&args, &krate, &item, errors)),
        other => {
            let text = "`#[plugin]` stands on `impl Trait for Type` or on a factory function";
            errors.push(Error::new(other.span(), text));
            let errors = errors.to_compile_error();
            Ok(quote!(#errors #other))
        }
    }
}

fn of_impl(args: &Args, krate: &Krate, mut item: ItemImpl, mut errors: Errors) -> TokenStream {
    let private = krate.private();
    if let Some(point) = &args.extension {
        let text = "the trait of the impl is the extension point; remove `extension`";
        errors.push(Error::new(point.span(), text));
    }
    if !item.generics.params.is_empty() {
        let text = "a plugin is one type; for a generic one, write a factory function";
        errors.push(Error::new(item.generics.span(), text));
    }
    let point = errors.keep(trait_of(&item));
    let name = match &args.name {
        Some(name) => Some(name.clone()),
        None => errors.keep(name_of_type(&item.self_ty)),
    };
    let registration = match (&point, &name) {
        (Some(point), Some(name)) if errors.is_empty() => {
            add_asks_should_load(&mut item);
            let factory = default_factory(&item.self_ty);
            let (attrs, items) = (item.attrs.as_slice(), TokenStream::new());
            Registration { krate, args, point, name, attrs, items, factory }.expand()
        }
        _ => errors.to_compile_error(),
    };
    let async_trait = point.map(|_| quote!(#[#private::async_trait]));
    quote!(#async_trait #item #registration)
}

fn trait_of(item: &ItemImpl) -> Result<Path> {
    match &item.trait_ {
        Some((point, _)) if item.modifiers.polarity.is_none() => Ok(point.clone()),
        _ => {
            let text = "a plugin implements the trait of an extension point: `impl Trait for Type`";
            Err(Error::new(item.self_ty.span(), text))
        }
    }
}

fn name_of_type(ty: &Type) -> Result<LitStr> {
    match ty {
        Type::Group(group) => name_of_type(&group.elem),
        Type::Path(path) if let Some(last) = path.path.segments.last() => {
            literal::name_of(&last.ident)
        }
        _ => {
            let text = "no name follows from this type; give one with `name = \"…\"`";
            Err(Error::new(ty.span(), text))
        }
    }
}

/// A plugin without a `should_load` of its own says so, and is not asked.
fn add_asks_should_load(item: &mut ItemImpl) {
    let is_should_load =
        |item: &ImplItem| matches!(item, ImplItem::Fn(method) if method.sig.ident == "should_load");
    if !item.items.iter().any(is_should_load) {
        item.items.push(parse_quote! {
            #[doc(hidden)]
            fn __plux_asks_should_load(&self) -> bool {
                false
            }
        });
    }
}

fn default_factory(ty: &Type) -> TokenStream {
    let here = Span::call_site().located_at(ty.span());
    let make = quote_spanned!(here=> <#ty as ::core::default::Default>::default());
    quote!(|| ::core::result::Result::Ok(::std::sync::Arc::new(#make)))
}

fn of_fn(args: &Args, krate: &Krate, item: &ItemFn, mut errors: Errors) -> TokenStream {
    check_signature(item, &mut errors);
    let Some(point) = &args.extension else {
        if errors.is_empty() {
            let text = "a factory function needs its extension point: `extension = dyn Trait`";
            errors.push(Error::new(Span::call_site(), text));
        }
        let errors = errors.to_compile_error();
        return quote!(#errors #item);
    };
    let name = match &args.name {
        Some(name) => Some(name.clone()),
        None => errors.keep(literal::name_of(&item.sig.ident)),
    };
    let registration = match name {
        Some(name) if errors.is_empty() => {
            let factory = function_factory(&item.sig.ident, &item.sig.output);
            let (name, attrs, items) = (&name, item.attrs.as_slice(), TokenStream::new());
            Registration { krate, args, point, name, attrs, items, factory }.expand()
        }
        _ => errors.to_compile_error(),
    };
    quote!(#item #registration)
}

/// A factory takes nothing and yields the plugin, or a `Result` of it.
fn check_signature(item: &ItemFn, errors: &mut Errors) {
    let signature = &item.sig;
    if let Some(asyncness) = &signature.asyncness {
        let text = "a factory is not async; what waits belongs into `load` of the plugin";
        errors.push(Error::new(asyncness.span(), text));
    }
    if !signature.generics.params.is_empty() {
        let text = "a factory has no parameters of types or lifetimes: it makes one plugin";
        errors.push(Error::new(signature.generics.span(), text));
    }
    if !signature.inputs.is_empty() {
        let text = "a factory takes nothing; the context is given to `load` of the plugin";
        errors.push(Error::new(signature.inputs.span(), text));
    }
    if matches!(signature.output, ReturnType::Default) {
        let text = "a factory returns the plugin, or a `Result` of it";
        errors.push(Error::new(signature.ident.span(), text));
    }
}

fn function_factory(function: &Ident, output: &ReturnType) -> TokenStream {
    let here = Span::call_site().located_at(output.span());
    let arc = quote_spanned!(here=> ::std::sync::Arc::new);
    if is_result(output) {
        quote! {
            || match #function() {
                ::core::result::Result::Ok(plugin) => ::core::result::Result::Ok(#arc(plugin)),
                ::core::result::Result::Err(error) => {
                    ::core::result::Result::Err(::core::convert::Into::into(error))
                }
            }
        }
    } else {
        quote!(|| ::core::result::Result::Ok(#arc(#function())))
    }
}

/// By the last segment: `Result<…>`, `io::Result<…>`; an alias of another name is none.
fn is_result(output: &ReturnType) -> bool {
    match output {
        ReturnType::Type(_, ty) => match ty.as_ref() {
            Type::Path(path) => path.path.segments.last().is_some_and(|s| s.ident == "Result"),
            _ => false,
        },
        ReturnType::Default => false,
    }
}
