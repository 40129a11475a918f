//! `#[plugin]` on the impl of an extension point's trait, on a factory function, or on a function
//! that is the plugin itself. Which function is which, the keys `extension` and `namespace` say.
//!
//! Trap: an impl becomes an async-trait impl even when the arguments are wrong; else its `async fn`
//! would be mistakes too.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{
    Error, Ident, ImplItem, Item, ItemFn, ItemImpl, LitStr, Path, Result, ReturnType, Type,
    parse_quote,
};

use crate::args::{self, Errors, Keys};
use crate::function;
use crate::krate::Krate;
use crate::literal;
use crate::options::Options;
use crate::registration::{Args, Registration, located};

/// The arguments of `#[plugin]`.
#[derive(Default)]
pub(crate) struct PluginArgs {
    pub(crate) shared: Args,
    pub(crate) namespace: Option<LitStr>,
    pub(crate) should_load: Option<Path>,
    pub(crate) load: Option<Path>,
    /// All keys that are there, also those whose value is wrong.
    keys: Vec<Ident>,
}

impl Keys for PluginArgs {
    const KNOWN: &'static [&'static [&'static str]] = &[
        &["extension", "namespace", "name", "requires", "wants", "after", "should_load", "load"],
        Options::KEYS,
    ];

    fn take(&mut self, key: &Ident, value: ParseStream<'_>) -> Result<()> {
        self.keys.push(key.clone());
        match key.to_string().as_str() {
            "namespace" => self.namespace = Some(literal::name("namespace", value)?),
            "should_load" => self.should_load = Some(function::path(key, value)?),
            "load" => self.load = Some(function::path(key, value)?),
            _ => self.shared.take(key, value)?,
        }
        Ok(())
    }
}

impl PluginArgs {
    fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|there| there == key)
    }

    /// Refuses those of `keys` that are there; `why` follows the key.
    pub(crate) fn refuse(&self, keys: &[&str], why: &str, errors: &mut Errors) {
        for there in self.keys.iter().filter(|there| keys.iter().any(|key| *there == key)) {
            errors.push(Error::new(there.span(), format!("`{there}` {why}")));
        }
    }
}

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let (args, krate) = args::read::<PluginArgs>(args, &mut errors);
    match syn::parse2(item)? {
        Item::Impl(item) => Ok(of_impl(&args, &krate, item, errors)),
        Item::Fn(item) => Ok(of_fn(&args, &krate, &item, errors)),
        other => {
            let text = "`#[plugin]` stands on `impl Trait for Type` or on a function";
            errors.push(Error::new(other.span(), text));
            let errors = errors.to_compile_error();
            Ok(quote!(#errors #other))
        }
    }
}

fn of_fn(args: &PluginArgs, krate: &Krate, item: &ItemFn, mut errors: Errors) -> TokenStream {
    match (args.has("namespace"), args.has("extension")) {
        (true, false) => return function::expand(args, krate, item, errors),
        (false, true) => return of_factory(args, krate, item, errors),
        (true, true) => {
            let why = "and `namespace` say two things: with `extension = dyn Trait` the function \
                       makes a plugin, with `namespace = \"…\"` it is one; remove one of them";
            args.refuse(&["extension"], why, &mut errors);
        }
        (false, false) => {
            if errors.is_empty() {
                let text = "a function needs `extension = dyn Trait` when it makes a plugin, or \
                            `namespace = \"…\"` when it is one";
                errors.push(Error::new(Span::call_site(), text));
            }
        }
    }
    let errors = errors.to_compile_error();
    quote!(#errors #item)
}

fn of_impl(
    args: &PluginArgs,
    krate: &Krate,
    mut item: ItemImpl,
    mut errors: Errors,
) -> TokenStream {
    args.refuse(&["namespace"], "follows from the trait of the impl; remove it", &mut errors);
    let why = "is a method of the impl here; write it there";
    args.refuse(&["should_load", "load"], why, &mut errors);
    let (args, private) = (&args.shared, krate.private());
    args.check(&mut errors);
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
            Registration { krate, args, point, namespace: None, name, factory }.expand()
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
    match literal::ungrouped(ty) {
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
    let make = quote_spanned!(located(ty)=> <#ty as ::core::default::Default>::default());
    quote!(|| ::core::result::Result::Ok(::std::sync::Arc::new(#make)))
}

fn of_factory(args: &PluginArgs, krate: &Krate, item: &ItemFn, mut errors: Errors) -> TokenStream {
    check_factory(item, &mut errors);
    let why = "is a method of the plugin that the factory makes; write it there";
    args.refuse(&["should_load", "load"], why, &mut errors);
    let args = &args.shared;
    args.check(&mut errors);
    let name = match &args.name {
        Some(name) => Some(name.clone()),
        None => errors.keep(literal::name_of(&item.sig.ident)),
    };
    let registration = match (&args.extension, name) {
        (Some(point), Some(name)) if errors.is_empty() => {
            let factory = function_factory(&item.sig.ident, &item.sig.output);
            Registration { krate, args, point, namespace: None, name: &name, factory }.expand()
        }
        _ => errors.to_compile_error(),
    };
    quote!(#item #registration)
}

/// A factory takes nothing and yields the plugin, or a `Result` of it.
fn check_factory(item: &ItemFn, errors: &mut Errors) {
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
    let here = located(output);
    if is_result(output) {
        let shared = quote_spanned!(here=> ::std::sync::Arc::new(__plux_plugin));
        quote! {
            || match #function() {
                ::core::result::Result::Ok(__plux_plugin) => ::core::result::Result::Ok(#shared),
                ::core::result::Result::Err(__plux_error) => {
                    ::core::result::Result::Err(::core::convert::Into::into(__plux_error))
                }
            }
        }
    } else {
        let mut function = function.clone();
        function.set_span(here);
        let shared = quote_spanned!(here=> ::std::sync::Arc::new(#function()));
        quote!(|| ::core::result::Result::Ok(#shared))
    }
}

/// By the last segment: `Result<…>`, `io::Result<…>`; an alias of another name is none.
pub(crate) fn is_result(output: &ReturnType) -> bool {
    match output {
        ReturnType::Type(_, ty) => match literal::ungrouped(ty) {
            Type::Path(path) => path.path.segments.last().is_some_and(|s| s.ident == "Result"),
            _ => false,
        },
        ReturnType::Default => false,
    }
}
