//! What a plugin leaves in the binary, whatever kind of item it comes from: its factory, its spec
//! in the registry, its record in the link section.
//!
//! Trap: `unsafe(link_section)` must carry the span of the call; with a span of the user's,
//! `forbid(unsafe_code)` in the user's crate refuses it.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Ident, LitStr, Path, Result, Type, TypeParamBound};

use crate::args::{Errors, Keys};
use crate::dependencies::Dependencies;
use crate::krate::Krate;
use crate::literal;
use crate::options::Options;

/// The arguments that `#[plugin]` and `#[service]` share.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<LitStr>,
    /// The trait of `extension = dyn Trait`.
    pub(crate) extension: Option<Path>,
    requires: Dependencies,
    wants: Dependencies,
    after: Dependencies,
    options: Options,
}

impl Keys for Args {
    const KNOWN: &'static [&'static [&'static str]] =
        &[&["extension", "name", "requires", "wants", "after"], Options::KEYS];

    fn take(&mut self, key: &Ident, value: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "extension" => self.extension = Some(extension(value)?),
            "name" => self.name = Some(literal::name("name", value)?),
            "requires" => self.requires = Dependencies::read(key, value)?,
            "wants" => self.wants = Dependencies::read(key, value)?,
            "after" => self.after = Dependencies::read(key, value)?,
            _ => self.options.take(key, value)?,
        }
        Ok(())
    }
}

impl Args {
    /// Refuses what each for itself is right and can not go together.
    pub(crate) fn check(&self, errors: &mut Errors) {
        let restarts = self.reactions().filter(|reaction| *reaction == "restart");
        self.options.check(restarts.map(Ident::span), errors);
    }

    /// The words in `requires` that say a reaction.
    pub(crate) fn reactions(&self) -> impl Iterator<Item = &Ident> {
        self.requires.reactions()
    }
}

/// `dyn Trait`.
fn extension(input: ParseStream<'_>) -> Result<Path> {
    let ty: Type = input.parse()?;
    let bounds = match literal::ungrouped(&ty) {
        Type::TraitObject(object) => &object.bounds,
        _ => &Punctuated::new(),
    };
    match (bounds.first(), bounds.len()) {
        (Some(TypeParamBound::Trait(bound)), 1) => Ok(bound.path.clone()),
        _ => Err(Error::new(ty.span(), "an extension point is written `dyn Trait`")),
    }
}

/// The place of what the user wrote, for generated code that the compiler may find wrong because of
/// it. What it names is still looked up as the attribute's.
pub(crate) fn located(place: &impl Spanned) -> Span {
    Span::call_site().located_at(place.span())
}

/// A plugin, ready to be registered. Where its item is configured away, no attribute is asked.
pub(crate) struct Registration<'a> {
    pub(crate) krate: &'a Krate,
    pub(crate) args: &'a Args,
    /// The extension point's trait.
    pub(crate) point: &'a Path,
    /// The namespace, when the extension point does not say it.
    pub(crate) namespace: Option<&'a LitStr>,
    pub(crate) name: &'a LitStr,
    /// `fn() -> Result<Arc<dyn Trait>, BoxError>`.
    pub(crate) factory: TokenStream,
}

impl Registration<'_> {
    pub(crate) fn expand(&self) -> TokenStream {
        let Self { krate, point, name, factory, .. } = self;
        let private = krate.private();
        let dependencies = self.dependencies(&private);
        let service = self.args.options.constant(&private);
        let served = self.served();
        // A trait that is no extension point is pointed at.
        let object = quote_spanned!(located(point)=> dyn #point);
        let (fields, namespace) = match self.namespace {
            Some(namespace) => (quote!(in_namespace), quote!(#namespace,)),
            None => (quote!(of), quote!()),
        };
        quote! {
            // A deprecated item is used here because it is registered.
            #[allow(deprecated)]
            const _: () = {
                static __PLUX_FACTORY: #private::Factory<dyn #point> =
                    #private::Factory::new(#factory);
                #(#served)*
                const __PLUX_ORIGIN: #private::Origin = #krate::origin!();
                const __PLUX_DEPENDENCIES: &[#private::Dependency] = &[#(#dependencies),*];
                const __PLUX_FIELDS: #private::RecordFields =
                    #private::RecordFields::#fields::<#object>(
                        #namespace
                        #name,
                        __PLUX_ORIGIN,
                        __PLUX_DEPENDENCIES,
                    );
                #[cfg_attr(
                    target_vendor = "apple",
                    unsafe(link_section = "__DATA,__plux_records")
                )]
                #[cfg_attr(windows, unsafe(link_section = ".pluxrec"))]
                #[cfg_attr(
                    not(any(target_vendor = "apple", windows, target_family = "wasm")),
                    unsafe(link_section = ".plux.records")
                )]
                static __PLUX_RECORD: [u8; #private::record_length(&__PLUX_FIELDS)] =
                    #private::encode_record(&__PLUX_FIELDS);
                #[#private::linkme::distributed_slice(#private::PLUX_RECORDS_V0)]
                #[linkme(crate = #private::linkme)]
                static __PLUX_SPEC: #private::Record =
                    #private::Record::Plugin(#private::PluginSpec::literal(
                        __PLUX_FIELDS.namespace(),
                        #name,
                        &__PLUX_FACTORY,
                        __PLUX_DEPENDENCIES,
                        const { &#service },
                        __PLUX_ORIGIN,
                        &__PLUX_RECORD,
                    ));
            };
        }
    }

    /// What does not compile where something is set for a service and the plugin is none.
    fn served(&self) -> impl Iterator<Item = TokenStream> {
        let Self { krate, args, point, .. } = self;
        args.options.keys().chain(args.reactions()).map(move |key| {
            let at = located(key);
            let private = krate.private_at(at);
            quote_spanned! {at=>
                const _: () = #private::served::<<dyn #point as #private::ExtensionPoint>::Output>();
            }
        })
    }

    fn dependencies(&self, private: &TokenStream) -> Vec<TokenStream> {
        let requires = self.args.requires.constants(private, "Requires");
        let wants = self.args.wants.constants(private, "Wants");
        let after = self.args.after.constants(private, "After");
        requires.chain(wants).chain(after).collect()
    }
}
