//! A binary that names crates with `link!`: what they register is in it.
//!
//! Trap: `fixture-plugins` is named by `fixture-facade` only, and two dependencies have other names
//! in Cargo.toml than their own (`elsewhere`, `quiet`).

#[cfg(test)]
mod found;
#[cfg(test)]
mod record;
#[cfg(test)]
mod silent;

#[cfg(test)]
use fixture_api::{ServicePlugin, Shop};
#[cfg(test)]
use plux::{FnPlugin, FnService, Namespace, PluginManager};

plux::link!(fixture_facade, elsewhere = fixture_renamed);
plux::link!(quiet = fixture_silent);

#[cfg(test)]
fn shop() -> PluginManager<dyn ServicePlugin> {
    PluginManager::<dyn ServicePlugin>::builder(Shop { city: "Turin".to_owned() }).build()
}

#[cfg(test)]
fn services() -> PluginManager<dyn FnService> {
    PluginManager::<dyn FnService>::builder(()).build()
}

#[cfg(test)]
fn functions() -> PluginManager<dyn FnPlugin<Shop, String>> {
    let namespace = Namespace::literal("fixture.functions");
    PluginManager::<dyn FnPlugin<Shop, String>>::functions(namespace).build()
}
