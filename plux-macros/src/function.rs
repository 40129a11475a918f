//! `#[plugin(namespace = "…")]` on a function that is the plugin itself.
//!
//! Trap: the types of the argument and of the result are part of the extension point,
//! `FnPlugin<T, R>`, so the generated code names them in a constant. What can not be named there,
//! `impl Trait` and lifetimes, is refused.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Error, FnArg, Ident, ItemFn, Path, Result, ReturnType, Safety, Type, parse_quote};

use crate::args::Errors;
use crate::krate::Krate;
use crate::literal;
use crate::options::Options;
use crate::plugin::{PluginArgs, is_result};
use crate::registration::{Registration, located};

/// Reads the value of `should_load` or `load`.
pub(crate) fn path(key: &Ident, input: ParseStream<'_>) -> Result<Path> {
    if !input.peek(Ident::peek_any) && !input.peek(syn::Token![::]) {
        let text = format!("`{key}` is the path of an async function that takes nothing");
        return Err(input.error(text));
    }
    input.call(Path::parse_mod_style)
}

pub(crate) fn expand(
    args: &PluginArgs,
    krate: &Krate,
    item: &ItemFn,
    mut errors: Errors,
) -> TokenStream {
    let why = "is for a service; a function in a namespace is called, and does not run on";
    args.refuse(Options::KEYS, why, &mut errors);
    for reaction in args.shared.reactions() {
        errors.push(Error::new(reaction.span(), format!("`{reaction}` {why}")));
    }
    check_signature(item, &mut errors);
    let argument = argument(item, &mut errors);
    let name = match &args.shared.name {
        Some(name) => Some(name.clone()),
        None => errors.keep(literal::name_of(&item.sig.ident)),
    };
    let registration = match name {
        Some(name) if errors.is_empty() => {
            let point = point(krate, &argument, &item.sig.output);
            let factory = factory(args, krate, item);
            let (namespace, args) = (args.namespace.as_ref(), &args.shared);
            Registration { krate, args, point: &point, namespace, name: &name, factory }.expand()
        }
        _ => errors.to_compile_error(),
    };
    quote!(#item #registration)
}

fn check_signature(item: &ItemFn, errors: &mut Errors) {
    let signature = &item.sig;
    if let Safety::Unsafe(unsafety) = &signature.safety {
        let text = "a function plugin is not unsafe: whoever calls it knows its types only";
        errors.push(Error::new(unsafety.span(), text));
    }
    if let Some(abi) = &signature.abi {
        let text = "a function plugin has no ABI of its own";
        errors.push(Error::new(abi.extern_token.span, text));
    }
    if !signature.generics.params.is_empty() {
        let text = "a function plugin has no parameters of types or lifetimes";
        errors.push(Error::new(signature.generics.span(), text));
    }
    if let ReturnType::Type(_, ty) = &signature.output
        && let Some(place) = impl_in(ty)
    {
        let text = "the result of a function plugin is part of its contract: name its type";
        errors.push(Error::new(place, text));
    }
}

/// The type whose reference the function takes; `()` for a function that takes nothing.
fn argument(item: &ItemFn, errors: &mut Errors) -> Type {
    let form = "a function plugin takes nothing, or one argument by reference: `argument: &T`";
    let inputs = &item.sig.inputs;
    let mistake = match (inputs.first(), inputs.len()) {
        (None, _) => return parse_quote!(()),
        (Some(FnArg::Typed(only)), 1) => match literal::ungrouped(&only.ty) {
            Type::Reference(reference) => match (&reference.mutability, &reference.lifetime) {
                (Some(mutable), _) => Error::new(mutable.span(), form),
                (None, Some(lifetime)) if lifetime.ident == "static" => {
                    let text = "a function plugin takes its argument for the call only: `&T`";
                    Error::new(lifetime.span(), text)
                }
                _ => match impl_in(&reference.elem) {
                    None => return bare(&reference.elem).clone(),
                    Some(place) => {
                        let text = "the argument of a function plugin is part of its contract: \
                                    name its type";
                        Error::new(place, text)
                    }
                },
            },
            other => Error::new(other.span(), form),
        },
        (Some(FnArg::Receiver(receiver)), 1) => Error::new(receiver.span(), form),
        _ => Error::new(inputs.span(), form),
    };
    errors.push(mistake);
    parse_quote!(())
}

/// The type without the parentheses of `&(dyn A + B)`, which nothing but a reference needs.
fn bare(ty: &Type) -> &Type {
    match literal::ungrouped(ty) {
        Type::Paren(paren) => bare(&paren.elem),
        ty => ty,
    }
}

/// Where the type says `impl`.
fn impl_in(ty: &Type) -> Option<Span> {
    fn find(tokens: TokenStream) -> Option<Span> {
        tokens.into_iter().find_map(|token| match token {
            TokenTree::Ident(ident) => (ident == "impl").then(|| ident.span()),
            TokenTree::Group(group) => find(group.stream()),
            _ => None,
        })
    }
    find(ty.to_token_stream())
}

/// `FnPlugin<T, R>`.
fn point(krate: &Krate, argument: &Type, output: &ReturnType) -> Path {
    let result = match output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) if is_result(output) => {
            let private = krate.private_at(located(ty));
            quote_spanned!(located(ty)=> <#ty as #private::Fallible>::Value)
        }
        ReturnType::Type(_, ty) => quote!(#ty),
    };
    parse_quote!(#krate::FnPlugin<#argument, #result>)
}

/// `|| Result<Arc<dyn FnPlugin<T, R>>, BoxError>`.
fn factory(args: &PluginArgs, krate: &Krate, item: &ItemFn) -> TokenStream {
    let private = krate.private();
    let call = call(krate, item);
    let hooks = [("with_should_load", &args.should_load), ("with_load", &args.load)];
    let hooks = hooks.into_iter().filter_map(|(method, path)| {
        let (method, path) = (Ident::new(method, Span::call_site()), path.as_ref()?);
        let private = krate.private_at(located(path));
        Some(quote_spanned!(located(path)=> .#method(|| #private::try_wait(#path()))))
    });
    quote! {
        || ::core::result::Result::Ok(::std::sync::Arc::new(
            #private::FunctionPlugin::new(#call) #(#hooks)*
        ))
    }
}

/// The function as plux calls it: `fn(&T) -> BoxFuture<Result<R, BoxError>>`.
fn call(krate: &Krate, item: &ItemFn) -> TokenStream {
    let signature = &item.sig;
    let at = located(&signature.ident);
    let (function, private) = (&signature.ident, krate.private_at(at));
    let (parameter, called) = match signature.inputs.is_empty() {
        true => (quote!(_), quote_spanned!(at=> #function())),
        false => (quote!(__plux_argument), quote_spanned!(at=> #function(__plux_argument))),
    };
    let answer = match (signature.asyncness.is_some(), is_result(&signature.output)) {
        (true, true) => quote_spanned!(at=> #private::try_wait(#called)),
        (true, false) => quote_spanned!(at=> #private::wait(#called)),
        (false, true) => quote_spanned!(at=> #private::try_now(move || #called)),
        (false, false) => quote_spanned!(at=> #private::now(move || #called)),
    };
    quote!(|#parameter| #answer)
}
