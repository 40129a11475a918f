//! `#[extension_point]` on a trait: adds what every plugin has, and implements the contract of the
//! namespace for `dyn Trait`.
//!
//! Trap: the item comes out even when the arguments are wrong, with a contract of placeholders, so
//! that the mistakes are all the user sees. Only a trait that can have no contract gets none.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{
    Error, Ident, ItemTrait, LitStr, Result, Token, TraitItem, TraitItemFn, Type, TypeParamBound,
    parse_quote,
};

use crate::args::{self, Errors, Keys};
use crate::literal;

#[derive(Default)]
struct Args {
    namespace: Option<LitStr>,
    context: Option<Type>,
    output: Option<Type>,
}

impl Keys for Args {
    const KNOWN: &'static [&'static [&'static str]] = &[&["namespace", "context", "output"]];

    fn take(&mut self, key: &Ident, value: ParseStream<'_>) -> Result<()> {
        if key == "namespace" {
            self.namespace = Some(literal::name("namespace", value)?);
        } else if key == "context" {
            self.context = Some(value.parse()?);
        } else {
            self.output = Some(value.parse()?);
        }
        Ok(())
    }
}

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut item: ItemTrait = syn::parse2(item).map_err(|error| {
        Error::new(error.span(), format!("`#[extension_point]` stands on a trait: {error}"))
    })?;
    let mut errors = Errors::default();
    let (args, krate) = args::read::<Args>(args, &mut errors);
    if args.namespace.is_none() && errors.is_empty() {
        let text = "`namespace = \"…\"` is missing: the group of plugins that this trait is for";
        errors.push(Error::new(Span::call_site(), text));
    }
    let private = krate.private();
    let mut no_contract = Errors::default();
    check(&item, &mut no_contract);
    if !no_contract.is_empty() {
        let errors = [errors, no_contract].map(|errors| errors.to_compile_error());
        return Ok(quote!(#(#errors)* #[#private::async_trait] #item));
    }
    let unit: Type = parse_quote!(());
    let has_output = args.output.as_ref().is_some_and(|output| !is_unit(output));
    let context = args.context.unwrap_or_else(|| unit.clone());
    let output = args.output.unwrap_or(unit);
    let takes_functions = takes_functions(&item);
    add_supertraits(&mut item);
    item.items.extend(methods(&private, &context, &output, has_output).map(TraitItem::Fn));
    let namespace = match (&args.namespace, errors.is_empty()) {
        (Some(namespace), true) => quote!(#namespace),
        _ => quote!("invalid"),
    };
    let contract = contract(&item, &private, &namespace, &context, &output);
    let function = takes_functions.then(|| function(&item, &private, &context, &output));
    let errors = errors.to_compile_error();
    Ok(quote! {
        #errors
        #[#private::async_trait]
        #item
        #contract
        #function
    })
}

/// What can not be part of a trait that is used as `dyn Trait`, or is added by the attribute.
fn check(item: &ItemTrait, errors: &mut Errors) {
    if !item.generics.params.is_empty() {
        let text = "an extension point has no parameters: its namespace has one contract";
        errors.push(Error::new(item.generics.span(), text));
    }
    for inner in &item.items {
        match inner {
            TraitItem::Fn(method) => {
                let name = &method.sig.ident;
                if name == "should_load" || name == "load" {
                    let text = format!("`{name}` is added by `#[extension_point]`; remove it here");
                    errors.push(Error::new(name.span(), text));
                }
            }
            TraitItem::Type(inner) => {
                let text = "an extension point has no associated types; use `context` and `output`";
                errors.push(Error::new(inner.span(), text));
            }
            TraitItem::Const(inner) => {
                let text = "an extension point has no associated constants; use a method";
                errors.push(Error::new(inner.span(), text));
            }
            _ => {}
        }
    }
}

/// Whether a plugin needs nothing but its load.
fn takes_functions(item: &ItemTrait) -> bool {
    let is_marker = |bound: &TypeParamBound| {
        ["Send", "Sync", "static"].iter().any(|marker| is_bound(bound, marker))
    };
    let has_default =
        |inner: &TraitItem| matches!(inner, TraitItem::Fn(method) if method.default.is_some());
    item.generics.where_clause.is_none()
        && item.supertraits.iter().all(is_marker)
        && item.items.iter().all(has_default)
}

/// Whether the type is written `()`.
fn is_unit(ty: &Type) -> bool {
    matches!(literal::ungrouped(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// Whether the last segment of a bound, or a lifetime, is `name`.
fn is_bound(bound: &TypeParamBound, name: &str) -> bool {
    match bound {
        TypeParamBound::Trait(bound) => {
            bound.path.segments.last().is_some_and(|last| last.ident == name)
        }
        TypeParamBound::Lifetime(lifetime) => lifetime.ident == name,
        _ => false,
    }
}

/// Adds those of `Send + Sync + 'static` that are not there.
fn add_supertraits(item: &mut ItemTrait) {
    let bounds: [(&str, TypeParamBound); 3] = [
        ("Send", parse_quote!(::core::marker::Send)),
        ("Sync", parse_quote!(::core::marker::Sync)),
        ("static", parse_quote!('static)),
    ];
    for (name, bound) in bounds {
        if !item.supertraits.iter().any(|there| is_bound(there, name)) {
            item.supertraits.push(bound);
        }
    }
    item.colon_token.get_or_insert_with(<Token![:]>::default);
}

/// `should_load`, `load`, and whether the first one was overridden.
///
/// A context may be a `Vec` or a `String`, and a slice would not be that type: so the methods allow
/// the lint, which fires or not as the type is.
fn methods(
    private: &TokenStream,
    context: &Type,
    output: &Type,
    has_output: bool,
) -> impl Iterator<Item = TraitItemFn> {
    let (inline, load_body) = if has_output {
        (quote!(), quote!(;))
    } else {
        let body = quote!({
            let _ = context;
            ::core::result::Result::Ok(())
        });
        (quote!(#[inline]), body)
    };
    let should_load = parse_quote! {
        /// Whether the plugin wants to be loaded, given the context of its namespace: `false`
        /// disables it. It does, unless this is overridden.
        ///
        /// An impl without `#[plux::plugin]` needs `#[plux::async_trait]`, as for `load`.
        ///
        /// # Errors
        /// What keeps the plugin from deciding; the load has then failed.
        #[inline]
        #[allow(clippy::ptr_arg)]
        async fn should_load(
            &self,
            context: &#context,
        ) -> ::core::result::Result<bool, #private::BoxError> {
            let _ = context;
            ::core::result::Result::Ok(true)
        }
    };
    let load = parse_quote! {
        /// Loads the plugin, given the context of its namespace.
        ///
        /// An impl on which `#[plux::plugin]` does not stand, as that of what a factory makes, needs
        /// `#[plux::async_trait]`. Without it the compiler says that the lifetime parameters of
        /// `load` do not match those of the trait (E0195).
        ///
        /// # Errors
        /// What keeps the plugin from loading.
        #inline
        #[allow(clippy::ptr_arg)]
        async fn load(
            &self,
            context: &#context,
        ) -> ::core::result::Result<#output, #private::BoxError> #load_body
    };
    let asks = parse_quote! {
        #[doc(hidden)]
        #[inline]
        fn __plux_asks_should_load(&self) -> bool {
            true
        }
    };
    [should_load, load, asks].into_iter()
}

/// The contract of the namespace, implemented for `dyn Trait`, whatever the object's lifetime: if it
/// were for `'static` alone, no future that holds a manager would be `Send`.
fn contract(
    item: &ItemTrait,
    private: &TokenStream,
    namespace: &TokenStream,
    context: &Type,
    output: &Type,
) -> TokenStream {
    let point = &item.ident;
    let text = point.to_string();
    let future = |of: TokenStream| quote!(#private::BoxFuture<'plux, ::core::result::Result<#of, #private::BoxError>>);
    let (bool_future, output_future) = (future(quote!(bool)), future(quote!(#output)));
    quote! {
        #[diagnostic::do_not_recommend]
        impl #private::ExtensionPoint for dyn #point + '_ {
            const NAMESPACE: ::core::option::Option<#private::Namespace> =
                ::core::option::Option::Some(#private::Namespace::literal(#namespace));
            const PATH: &'static str = ::core::concat!(::core::module_path!(), "::", #text);
            type Context = #context;
            type Output = #output;

            fn asks_should_load(&self) -> bool {
                <Self as #point>::__plux_asks_should_load(self)
            }

            fn should_load<'plux>(&'plux self, context: &'plux Self::Context) -> #bool_future {
                <Self as #point>::should_load(self, context)
            }

            fn load<'plux>(&'plux self, context: &'plux Self::Context) -> #output_future {
                <Self as #point>::load(self, context)
            }
        }
    }
}

/// A plugin that is nothing but its load, for functions.
fn function(item: &ItemTrait, private: &TokenStream, context: &Type, output: &Type) -> TokenStream {
    let point = &item.ident;
    quote! {
        const _: () = {
            struct __PluxFunction<F>(F);

            #[#private::async_trait]
            impl<F> #point for __PluxFunction<F>
            where
                F: ::core::ops::Fn(&#context) -> #output
                    + ::core::marker::Send
                    + ::core::marker::Sync
                    + 'static,
            {
                fn __plux_asks_should_load(&self) -> bool {
                    false
                }

                async fn load(
                    &self,
                    context: &#context,
                ) -> ::core::result::Result<#output, #private::BoxError> {
                    ::core::result::Result::Ok((self.0)(context))
                }
            }

            #[diagnostic::do_not_recommend]
            impl #private::FunctionPoint for dyn #point {
                fn plugin<F>(load: F) -> ::std::sync::Arc<Self>
                where
                    F: ::core::ops::Fn(&Self::Context) -> Self::Output
                        + ::core::marker::Send
                        + ::core::marker::Sync
                        + 'static,
                {
                    ::std::sync::Arc::new(__PluxFunction(load))
                }
            }
        };
    }
}
