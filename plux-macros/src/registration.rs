//! What a plugin leaves in the binary, whatever kind of item it comes from: its factory, its spec
//! in the registry, its record in the link section.
//!
//! Trap: `unsafe(link_section)` must carry the span of the call; with a span of the user's,
//! `forbid(unsafe_code)` in the user's crate refuses it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Ident, LitStr, Path, Result, Type, TypeParamBound};

use crate::args::Keys;
use crate::krate::Krate;
use crate::literal::{self, Dependencies, Grace, Millis};

/// The arguments of `#[plugin]` and of `#[service]`.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<LitStr>,
    /// The trait of `extension = dyn Trait`.
    pub(crate) extension: Option<Path>,
    requires: Dependencies,
    wants: Dependencies,
    after: Dependencies,
    grace_period: Option<Grace>,
    start_timeout: Option<Millis>,
}

impl Keys for Args {
    const KNOWN: &'static [&'static str] =
        &["extension", "name", "requires", "wants", "after", "grace_period", "start_timeout"];

    fn take(&mut self, key: &Ident, value: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "extension" => self.extension = Some(extension(value)?),
            "name" => self.name = Some(literal::name("name", value)?),
            "requires" => self.requires = Dependencies::read(value)?,
            "wants" => self.wants = Dependencies::read(value)?,
            "after" => self.after = Dependencies::read(value)?,
            "grace_period" => self.grace_period = Some(Grace::read(value)?),
            _ => self.start_timeout = Some(Millis::read(value)?),
        }
        Ok(())
    }
}

/// `dyn Trait`; a type that comes through `macro_rules!` is wrapped in a group.
fn extension(input: ParseStream<'_>) -> Result<Path> {
    let mut ty: Type = input.parse()?;
    while let Type::Group(group) = ty {
        ty = *group.elem;
    }
    let bounds = match &ty {
        Type::TraitObject(object) => &object.bounds,
        _ => &Punctuated::new(),
    };
    match (bounds.first(), bounds.len()) {
        (Some(TypeParamBound::Trait(bound)), 1) => Ok(bound.path.clone()),
        _ => Err(Error::new(ty.span(), "an extension point is written `dyn Trait`")),
    }
}

/// A plugin, ready to be registered.
pub(crate) struct Registration<'a> {
    pub(crate) krate: &'a Krate,
    pub(crate) args: &'a Args,
    /// The extension point's trait.
    pub(crate) point: &'a Path,
    pub(crate) name: &'a LitStr,
    /// The attributes of the item; where it is configured away, so is its registration.
    pub(crate) attrs: &'a [Attribute],
    /// Items that the factory names.
    pub(crate) items: TokenStream,
    /// `fn() -> Result<Arc<dyn Trait>, BoxError>`.
    pub(crate) factory: TokenStream,
}

impl Registration<'_> {
    pub(crate) fn expand(&self) -> TokenStream {
        let Self { krate, point, name, items, factory, .. } = self;
        let private = krate.private();
        let cfgs = self.attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
        let dependencies = self.dependencies(&private);
        let count = dependencies.len();
        let service = self.service(&private);
        quote! {
            #(#cfgs)*
            const _: () = {
                #items
                static FACTORY: #private::Factory<dyn #point> = #private::Factory::new(#factory);
                static DEPENDENCIES: [#private::Dependency; #count] = [#(#dependencies),*];
                #[#private::linkme::distributed_slice(#private::PLUX_RECORDS_V0)]
                #[linkme(crate = #private::linkme)]
                static RECORD: #private::Record =
                    #private::Record::Plugin(#private::PluginSpec::literal(
                        #private::namespace_of::<dyn #point>(),
                        #name,
                        &FACTORY,
                        &DEPENDENCIES,
                        #service,
                        #krate::origin!(),
                        &[],
                    ));
            };
        }
    }

    fn dependencies(&self, private: &TokenStream) -> Vec<TokenStream> {
        let requires = self.args.requires.constants(private, "Requires");
        let wants = self.args.wants.constants(private, "Wants");
        let after = self.args.after.constants(private, "After");
        requires.chain(wants).chain(after).collect()
    }

    fn service(&self, private: &TokenStream) -> TokenStream {
        let grace_period = Grace::option(self.args.grace_period, private);
        let start_timeout = Millis::option(self.args.start_timeout);
        quote!(#private::ServiceOptions::new(#grace_period, #start_timeout))
    }
}
