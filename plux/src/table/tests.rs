//! A row in moments that are too short to be met from outside.

use std::sync::Arc;

use futures::FutureExt;

use super::{Entry, Reason, Turn, Value, next_call};
use crate::fn_plugin::{self, FnPlugin, FunctionPlugin};
use crate::name::{Name, Namespace};
use crate::spec::PluginSpec;
use crate::state::PluginState;

type Plugin = dyn FnPlugin<(), ()>;

fn plugin() -> Arc<Plugin> {
    Arc::new(FunctionPlugin::new(|()| fn_plugin::now(|| ())))
}

fn entry() -> Entry<Plugin> {
    let (namespace, name) = (Namespace::literal("test"), Name::literal("a"));
    Entry::new(PluginSpec::new::<Plugin>(namespace, name, || Ok(plugin())).into(), 0)
}

#[test]
fn p14_who_has_seen_the_value_is_not_told_that_it_is_still_to_come() {
    let entry = entry();
    let Turn::Mine(claim) = entry.claim(next_call()) else { panic!("nobody owns it") };
    let loading = claim.initialized().loading();
    assert!(matches!(entry.state(), PluginState::Loading));
    entry.value.get_or_init(|| Value { output: (), plugin: plugin() });
    assert!(matches!(entry.state(), PluginState::Loaded));
    drop(loading.loaded(plugin(), ()));
    assert!(matches!(entry.state(), PluginState::Loaded));
}

#[test]
fn p15_an_attempt_that_ended_since_a_call_began_is_the_calls_own_while_the_next_is_made() {
    let entry = entry();
    let first = next_call();
    let Turn::Mine(claim) = entry.claim(first) else { panic!("nobody owns it") };
    drop(claim.not(Reason::Skipped(entry.spec().id())));
    let second = next_call();
    let Turn::Mine(claim) = entry.claim(second) else { panic!("it is to be tried again") };
    assert!(entry.settled(first).now_or_never().is_some());
    assert!(entry.settled(second).now_or_never().is_none());
    assert!(matches!(entry.claim(first), Turn::Settled));
    assert!(matches!(entry.claim(second), Turn::Busy));
    drop(claim.not(Reason::Skipped(entry.spec().id())));
    assert!(entry.settled(second).now_or_never().is_some());
    assert!(matches!(entry.claim(second), Turn::Settled));
}
