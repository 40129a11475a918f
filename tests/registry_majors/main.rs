//! A binary that holds two major versions of plux, each with a registry of its own.
//!
//! Trap: two slices of one name panic as soon as one of them is read, so the slice's name carries the
//! major version; without it every test of this binary fails.

#![cfg(test)]

use plux_next as next;

plux::link!(quiet = fixture_silent);

#[plux::extension_point(namespace = "fixture.majors", output = u32)]
trait Now {}

#[plux::plugin(extension = dyn Now, name = "version")]
fn now() -> Major {
    Major(0)
}

#[next::extension_point(namespace = "fixture.majors", output = u32, crate = next)]
trait Next {}

#[next::plugin(extension = dyn Next, name = "version", crate = next)]
fn next_one() -> Major {
    Major(1)
}

struct Major(u32);

#[plux::async_trait]
impl Now for Major {
    async fn load(&self, (): &()) -> Result<u32, plux::BoxError> {
        Ok(self.0)
    }
}

#[next::async_trait]
impl Next for Major {
    async fn load(&self, (): &()) -> Result<u32, next::BoxError> {
        Ok(self.0)
    }
}

#[tokio::test]
async fn p01_two_major_versions_in_one_binary_find_their_own_plugins_only() {
    let now = plux::PluginManager::<dyn Now>::builder(()).build();
    let next = next::PluginManager::<dyn Next>::builder(()).build();
    assert_eq!(now.names().unwrap(), ["version"]);
    assert_eq!(next.names().unwrap(), ["version"]);
    assert_eq!(*now.load("version").await.unwrap().output(), 0);
    assert_eq!(*next.load("version").await.unwrap().output(), 1);
}

#[test]
fn a07_two_major_versions_in_one_binary_are_checked_apart() {
    next::RegistryCheck::new().require("fixture.majors:version").run().unwrap();
    let error = plux::RegistryCheck::new().require("fixture.majors:version").run().unwrap_err();
    assert!(matches!(error.problems[..], [plux::CheckProblem::Silent { .. }]), "{error}");
}
