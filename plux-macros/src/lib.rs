//! The attributes of plux. Use them through the `plux` crate, which re-exports and documents them.

mod args;
mod dependencies;
mod extension_point;
mod function;
mod krate;
mod literal;
mod options;
mod plugin;
mod registration;
mod service;

use proc_macro::TokenStream;
use syn::Error;

#[expect(missing_docs, reason = "documented where plux re-exports it")]
#[proc_macro_attribute]
pub fn extension_point(args: TokenStream, item: TokenStream) -> TokenStream {
    extension_point::expand(args.into(), item.into())
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

#[expect(missing_docs, reason = "documented where plux re-exports it")]
#[proc_macro_attribute]
pub fn plugin(args: TokenStream, item: TokenStream) -> TokenStream {
    plugin::expand(args.into(), item.into()).unwrap_or_else(Error::into_compile_error).into()
}

#[expect(missing_docs, reason = "documented where plux re-exports it")]
#[proc_macro_attribute]
pub fn service(args: TokenStream, item: TokenStream) -> TokenStream {
    service::expand(args.into(), item.into()).unwrap_or_else(Error::into_compile_error).into()
}
