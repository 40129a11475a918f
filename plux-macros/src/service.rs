//! `#[service]` on an async function: a plugin whose load yields the function as a service.
//!
//! Trap: what the compiler checks for the user must carry the place of what it checks: the bounds
//! of the function that of its name, a parameter that of its type, the trait that of its path. And the
//! function may be called anything, so no local of generated code may be called what a user might
//! choose.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, FnArg, Item, ItemFn, Path, Result, ReturnType, Type, parse_quote};

use crate::args::{self, Errors};
use crate::krate::Krate;
use crate::literal;
use crate::registration::{Args, Registration, located};

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let (args, krate) = args::read::<Args>(args, &mut errors);
    let item = match syn::parse2(item)? {
        Item::Fn(item) => item,
        other => {
            errors.push(Error::new(other.span(), "`#[service]` stands on an async function"));
            let errors = errors.to_compile_error();
            return Ok(quote!(#errors #other));
        }
    };
    args.check(&mut errors);
    check_signature(&item, &mut errors);
    let name = match &args.name {
        Some(name) => Some(name.clone()),
        None => errors.keep(literal::name_of(&item.sig.ident)),
    };
    let registration = match name {
        Some(name) if errors.is_empty() => {
            let point = args.extension.clone().unwrap_or_else(|| parse_quote!(#krate::FnService));
            let factory = factory(&krate, &point, &item);
            let (krate, args, point, name) = (&krate, &args, &point, &name);
            Registration { krate, args, point, namespace: None, name, factory }.expand()
        }
        _ => errors.to_compile_error(),
    };
    Ok(quote!(#item #registration))
}

/// A service takes a `ServiceContext`, and the context of its namespace when it wants that.
fn check_signature(item: &ItemFn, errors: &mut Errors) {
    let signature = &item.sig;
    if signature.asyncness.is_none() {
        let text = "a service is an `async fn`; it runs until it is told to stop";
        errors.push(Error::new(signature.fn_token.span(), text));
    }
    if !signature.generics.params.is_empty() {
        let text = "a service has no parameters of types or lifetimes";
        errors.push(Error::new(signature.generics.span(), text));
    }
    if matches!(signature.output, ReturnType::Default) {
        let text = "a service returns `Result<(), BoxError>`";
        errors.push(Error::new(signature.ident.span(), text));
    }
    let form = "a service takes `cx: ServiceContext`, and `context: &T` of its namespace if needed";
    match signature.inputs.len() {
        0 => errors.push(Error::new(signature.ident.span(), form)),
        1 | 2 => {
            for input in &signature.inputs {
                if let FnArg::Receiver(receiver) = input {
                    errors.push(Error::new(receiver.span(), form));
                }
            }
            if let Some(FnArg::Typed(second)) = signature.inputs.get(1)
                && !matches!(literal::ungrouped(&second.ty), Type::Reference(_))
            {
                let text = "the context of the namespace is taken by reference: `context: &T`";
                errors.push(Error::new(second.ty.span(), text));
            }
        }
        _ => errors.push(Error::new(signature.inputs.span(), form)),
    }
}

/// `|| Result<Arc<dyn Trait>, BoxError>`: a plugin that yields the function as a service.
fn factory(krate: &Krate, point: &Path, item: &ItemFn) -> TokenStream {
    let at = located(&item.sig.ident);
    let private = krate.private_at(at);
    let service = quote_spanned!(at=> #private::FunctionService::new(__plux_run));
    let run = run(krate, item);
    let at = located(point);
    let private = krate.private_at(at);
    let plugin = quote_spanned!(at=> <dyn #point as #private::FunctionPoint>::plugin);
    let output = quote_spanned!(at=> #private::FromService::from_service(__plux_service));
    quote! {
        || ::core::result::Result::Ok(#plugin(|__plux_context| {
            let __plux_run = #run;
            let __plux_service = #service;
            #output
        }))
    }
}

/// The function as plux calls it: with the context of the run only.
fn run(krate: &Krate, item: &ItemFn) -> TokenStream {
    let mut parameters = item.sig.inputs.iter().map(|input| match input {
        FnArg::Typed(typed) => located(&typed.ty),
        FnArg::Receiver(receiver) => located(receiver),
    });
    let (first, second) = (parameters.next(), parameters.next());
    let first = first.unwrap_or_else(Span::call_site);
    let private = krate.private();
    let function = &item.sig.ident;
    let cx = quote_spanned!(first=> __plux_cx);
    match second {
        None => quote!(move |#cx: #private::ServiceContext| #function(#cx)),
        Some(second) => {
            let kept = krate.private_at(second);
            let kept = quote_spanned!(second=> #kept::KeptContext::new(__plux_context));
            let lent = quote_spanned!(second=> &__plux_context);
            quote! {
                #kept.given_to(move |#cx: #private::ServiceContext, __plux_context| async move {
                    #function(#cx, #lent).await
                })
            }
        }
    }
}
