//! A first call that no runtime can carry breaks nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::kit::{Kit, Probe};

#[test]
fn c06_a_first_call_outside_a_runtime_panics_and_breaks_nothing() {
    let kit = Kit::new([&Probe::new("a")]);
    let supervisor = &kit.supervisor;
    let calls: [&dyn Fn(); 4] = [
        &|| drop(supervisor.request_stop("a")),
        &|| drop(supervisor.request_restart("a")),
        &|| supervisor.request_shutdown(),
        &|| supervisor.abort_now(),
    ];
    for call in calls {
        assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
        assert_eq!(kit.state("a"), "stopped (never started)");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(runtime.block_on(supervisor.start("a")).is_ok());
    // Once it runs, a request is a message, from wherever.
    supervisor.request_stop("a").unwrap();
    let state = runtime.block_on(supervisor.wait("a")).unwrap();
    assert_eq!(state.to_string(), "stopped (asked)");
}
