//! What comes of every fault at every seam: a row each, and the test that plays it.

use super::curse::{Fault, Seam};
use super::play::Call::{Drop, Nobody, RestartX, StartTop, StopX, WaitX};
use super::play::{DELAY, GRACE, JOIN, START, WATCHDOG};
use super::table::{Row, check};

const AT_ONCE: &[u32] = &[];
const DELAYED: &[u32] = &[DELAY];
const GRACED: &[u32] = &[GRACE];
const LEAKED: &[u32] = &[GRACE, JOIN];
const JOINED: &[u32] = &[JOIN];
const STARTED: &[u32] = &[START];

/// What requires it: never began, or began with it.
const CALLED_OFF: &str = "waiting → stopped (unneeded)";
const BEGAN: &str = "waiting → starting → running";
/// What requires it and ran: stopped for good, waiting for it, or back with it.
const STOPPED: &str = "stopping (dependency) → stopped (dependency)";
const WAITS: &str = "stopping (dependency) → stopped (dependency) → waiting";
const BACK: &str = "stopping (dependency) → stopped (dependency) → waiting → starting → running";
const STAYS: &str = "stays running";
const UNHEARD: &str = "running, which is not heard yet";

macro_rules! rows {
    ($(
        #[$test:meta]
        fn $name:ident($seam:ident, $fault:ident) {
            $call:ident => $told:literal, $after:expr;
            $x:expr;
            $top:expr;
            $report:literal, $ends:expr;
        }
    )*) => {
        pub(super) const ROWS: &[Row] = &[$(Row {
            seam: Seam::$seam,
            fault: Fault::$fault,
            call: $call,
            told: $told,
            after: $after,
            x: $x,
            top: $top,
            report: $report,
            ends: $ends,
        }),*];

        $(
            #[$test]
            fn $name() {
                check(Seam::$seam, Fault::$fault);
            }
        )*
    };
}

rows! {
    #[test]
    fn p10_a_filter_refuses_a_spec(FilterOfSpec, Error) {
        StartTop => "x is disabled", AT_ONCE;
        "starting → disabled"; CALLED_OFF; "nothing", AT_ONCE;
    }
    #[test]
    fn p24_a_filter_panics_over_a_spec(FilterOfSpec, Panic) {
        StartTop => "x failed (panic in before_init)", AT_ONCE;
        "starting → failed (panic in before_init)"; CALLED_OFF; "had failed", AT_ONCE;
    }
    #[test]
    fn s08_x03_a_filter_blocks_over_a_spec(FilterOfSpec, Blocked) {
        StartTop => "x failed (start timeout in before_init)", STARTED;
        "starting → stopping (start_deadline) → failed (start timeout in before_init)"; CALLED_OFF; "had failed, still loads", JOINED;
    }
    #[test]
    fn c06_the_caller_leaves_a_filter_over_a_spec(FilterOfSpec, CallerGone) {
        StartTop => "joined", AT_ONCE;
        "starting → running"; BEGAN; "clean", AT_ONCE;
    }
    #[test]
    fn s02_a_factory_fails(Factory, Error) {
        StartTop => "x failed (error in init)", AT_ONCE;
        "starting → failed (error in init)"; CALLED_OFF; "had failed", AT_ONCE;
    }
    #[test]
    fn p24_a_factory_panics(Factory, Panic) {
        StartTop => "x failed (panic in init)", AT_ONCE;
        "starting → failed (panic in init)"; CALLED_OFF; "had failed", AT_ONCE;
    }
    #[test]
    fn s08_x03_a_factory_blocks(Factory, Blocked) {
        StartTop => "x failed (start timeout in init)", STARTED;
        "starting → stopping (start_deadline) → failed (start timeout in init)"; CALLED_OFF; "had failed, still loads", JOINED;
    }
    #[test]
    fn c06_the_caller_leaves_a_factory(Factory, CallerGone) {
        StartTop => "joined", AT_ONCE;
        "starting → running"; BEGAN; "clean", AT_ONCE;
    }
    #[test]
    fn p11_a_filter_refuses_a_plugin(FilterOfPlugin, Error) {
        StartTop => "x is disabled", AT_ONCE;
        "starting → disabled"; CALLED_OFF; "nothing", AT_ONCE;
    }
    #[test]
    fn p24_a_filter_panics_over_a_plugin(FilterOfPlugin, Panic) {
        StartTop => "x failed (panic in before_load)", AT_ONCE;
        "starting → failed (panic in before_load)"; CALLED_OFF; "had failed", AT_ONCE;
    }
    #[test]
    fn s08_x03_a_filter_blocks_over_a_plugin(FilterOfPlugin, Blocked) {
        StartTop => "x failed (start timeout in before_load)", STARTED;
        "starting → stopping (start_deadline) → failed (start timeout in before_load)"; CALLED_OFF; "had failed, still loads", JOINED;
    }
    #[test]
    fn c06_the_caller_leaves_a_filter_over_a_plugin(FilterOfPlugin, CallerGone) {
        StartTop => "joined", AT_ONCE;
        "starting → running"; BEGAN; "clean", AT_ONCE;
    }
    #[test]
    fn p12_should_load_fails(ShouldLoad, Error) {
        StartTop => "x failed (error in should_load)", AT_ONCE;
        "starting → failed (error in should_load)"; CALLED_OFF; "had failed", AT_ONCE;
    }
    #[test]
    fn p24_should_load_panics(ShouldLoad, Panic) {
        StartTop => "x failed (panic in should_load)", AT_ONCE;
        "starting → failed (panic in should_load)"; CALLED_OFF; "had failed", AT_ONCE;
    }
    #[test]
    fn s08_should_load_hangs(ShouldLoad, Pending) {
        StartTop => "x failed (start timeout in should_load)", STARTED;
        "starting → stopping (start_deadline) → failed (start timeout in should_load)"; CALLED_OFF; "had failed", AT_ONCE;
    }
    #[test]
    fn s08_x03_should_load_blocks(ShouldLoad, Blocked) {
        StartTop => "x failed (start timeout in should_load)", STARTED;
        "starting → stopping (start_deadline) → failed (start timeout in should_load)"; CALLED_OFF; "had failed, still loads", JOINED;
    }
    #[test]
    fn c06_the_caller_leaves_should_load(ShouldLoad, CallerGone) {
        StartTop => "joined", AT_ONCE;
        "starting → running"; BEGAN; "clean", AT_ONCE;
    }
    #[test]
    fn s02_load_fails(Load, Error) {
        StartTop => "x failed (error in load)", AT_ONCE;
        "starting → failed (error in load)"; CALLED_OFF; "had failed", AT_ONCE;
    }
    #[test]
    fn p24_load_panics(Load, Panic) {
        StartTop => "x failed (panic in load)", AT_ONCE;
        "starting → failed (panic in load)"; CALLED_OFF; "had failed", AT_ONCE;
    }
    #[test]
    fn s08_load_hangs(Load, Pending) {
        StartTop => "x failed (start timeout in load)", STARTED;
        "starting → stopping (start_deadline) → failed (start timeout in load)"; CALLED_OFF; "had failed", AT_ONCE;
    }
    #[test]
    fn s08_x03_load_blocks(Load, Blocked) {
        StartTop => "x failed (start timeout in load)", STARTED;
        "starting → stopping (start_deadline) → failed (start timeout in load)"; CALLED_OFF; "had failed, still loads", JOINED;
    }
    #[test]
    fn c06_the_caller_leaves_load(Load, CallerGone) {
        StartTop => "joined", AT_ONCE;
        "starting → running"; BEGAN; "clean", AT_ONCE;
    }
    #[test]
    fn s03_a_run_fails_before_it_is_ready(NotReady, Error) {
        StartTop => "x failed (error before ready)", AT_ONCE;
        "starting → failed (error before ready)"; CALLED_OFF; "had failed", AT_ONCE;
    }
    #[test]
    fn s03_a_run_panics_before_it_is_ready(NotReady, Panic) {
        StartTop => "x failed (panic before ready)", AT_ONCE;
        "starting → failed (panic before ready)"; CALLED_OFF; "had failed", AT_ONCE;
    }
    #[test]
    fn s08_a_run_hangs_before_it_is_ready(NotReady, Pending) {
        StartTop => "x failed (start timeout in run)", &[START, GRACE];
        "starting → stopping (start_deadline) → failed (start timeout in run)"; CALLED_OFF; "had failed", AT_ONCE;
    }
    #[test]
    fn s08_x03_a_run_blocks_before_it_is_ready(NotReady, Blocked) {
        StartTop => "x failed (start timeout in run)", &[START, GRACE, JOIN];
        "starting → stopping (start_deadline) → failed (leaked)"; CALLED_OFF; "had failed", AT_ONCE;
    }
    #[test]
    fn c06_the_caller_leaves_a_run_that_is_not_ready(NotReady, CallerGone) {
        StartTop => "joined", AT_ONCE;
        "starting → running"; BEGAN; "clean", AT_ONCE;
    }
    #[test]
    fn s04_d05_a_run_fails(Ready, Error) {
        StartTop => "joined", DELAYED;
        "backoff (error) → starting → running"; BACK; "clean", AT_ONCE;
    }
    #[test]
    fn s04_d05_a_run_panics(Ready, Panic) {
        StartTop => "joined", DELAYED;
        "backoff (panic) → starting → running"; BACK; "clean", AT_ONCE;
    }
    #[test]
    fn x01_a_run_hangs(Ready, Pending) {
        Nobody => "", AT_ONCE;
        STAYS; STAYS; "aborted", GRACED;
    }
    #[test]
    fn x03_a_run_blocks(Ready, Blocked) {
        Nobody => "", AT_ONCE;
        STAYS; STAYS; "leaked", LEAKED;
    }
    #[test]
    fn c05_c06_the_caller_leaves_a_restart(Ready, CallerGone) {
        RestartX => "restarted", AT_ONCE;
        "stopping (restart) → stopped (restart) → starting → running"; BACK; "clean", AT_ONCE;
    }
    #[test]
    fn x06_a_run_fails_while_it_stops(Stopping, Error) {
        StopX => "error", AT_ONCE;
        "stopping (asked) → stopped (asked)"; STOPPED; "nothing", AT_ONCE;
    }
    #[test]
    fn x06_a_run_panics_while_it_stops(Stopping, Panic) {
        StopX => "panic", AT_ONCE;
        "stopping (asked) → stopped (asked)"; STOPPED; "nothing", AT_ONCE;
    }
    #[test]
    fn x01_a_run_hangs_while_it_stops(Stopping, Pending) {
        StopX => "aborted", GRACED;
        "stopping (asked) → stopped (asked)"; STOPPED; "nothing", AT_ONCE;
    }
    #[test]
    fn x03_a_run_blocks_while_it_stops(Stopping, Blocked) {
        StopX => "x has leaked", LEAKED;
        "stopping (asked) → failed (leaked)"; STOPPED; "had failed", AT_ONCE;
    }
    #[test]
    fn c06_the_caller_leaves_a_stop(Stopping, CallerGone) {
        StopX => "clean", AT_ONCE;
        "stopping (asked) → stopped (asked)"; STOPPED; "nothing", AT_ONCE;
    }
    #[test]
    fn s11_a_task_panics(Task, Panic) {
        StartTop => "joined", DELAYED;
        "backoff (panic) → starting → running"; BACK; "clean", AT_ONCE;
    }
    #[test]
    fn s11_x01_a_task_hangs(Task, Pending) {
        Nobody => "", AT_ONCE;
        STAYS; STAYS; "aborted", GRACED;
    }
    #[test]
    fn s11_x03_a_task_blocks(Task, Blocked) {
        Nobody => "", AT_ONCE;
        STAYS; STAYS; "leaked", LEAKED;
    }
    #[test]
    fn s11_c06_the_caller_leaves_a_task_that_drains(Task, CallerGone) {
        StopX => "clean", AT_ONCE;
        "stopping (asked) → stopped (asked)"; STOPPED; "nothing", AT_ONCE;
    }
    #[test]
    fn s10_a_run_says_that_it_is_unhealthy(Health, Error) {
        StartTop => "joined", DELAYED;
        "stopping (health) → backoff (unhealthy) → starting → running"; BACK; "clean", AT_ONCE;
    }
    #[test]
    fn s09_heartbeats_cease(Heartbeat, Pending) {
        Nobody => "", AT_ONCE;
        "stopping (watchdog) → backoff (missed heartbeats) → starting → running"; BACK; "clean", AT_ONCE;
    }
    #[test]
    fn s09_x03_heartbeats_cease_because_the_thread_is_blocked(Heartbeat, Blocked) {
        WaitX => "failed (leaked)", &[WATCHDOG, GRACE, JOIN];
        "stopping (watchdog) → failed (leaked)"; WAITS; "had failed", AT_ONCE;
    }
    #[test]
    fn s09_a_status_text_panics(Status, Panic) {
        StartTop => "joined", DELAYED;
        "backoff (panic) → starting → running"; BACK; "clean", AT_ONCE;
    }
    #[test]
    fn s09_x03_a_status_text_blocks(Status, Blocked) {
        Nobody => "", AT_ONCE;
        STAYS; STAYS; "leaked", LEAKED;
    }
    #[test]
    fn p24_the_text_of_an_error_fails(ErrorText, Error) {
        StartTop => "joined", DELAYED;
        "backoff (error) → starting → running"; BACK; "clean", AT_ONCE;
    }
    #[test]
    fn p24_the_text_of_an_error_panics(ErrorText, Panic) {
        StartTop => "joined", DELAYED;
        "backoff (error) → starting → running"; BACK; "clean", AT_ONCE;
    }
    #[test]
    fn c02_the_text_of_an_error_blocks(ErrorText, Blocked) {
        StartTop => "joined", DELAYED;
        UNHEARD; UNHEARD; "clean", JOINED;
    }
    #[test]
    fn p24_a_listener_panics(Listener, Panic) {
        StartTop => "started", AT_ONCE;
        "starting → running"; BEGAN; "clean", AT_ONCE;
    }
    #[test]
    fn c02_a_listener_blocks(Listener, Blocked) {
        StartTop => "started", AT_ONCE;
        UNHEARD; UNHEARD; "clean", JOINED;
    }
    #[test]
    fn c06_the_caller_leaves_while_a_listener_blocks(Listener, CallerGone) {
        StartTop => "joined", AT_ONCE;
        "starting → running"; BEGAN; "clean", AT_ONCE;
    }
    #[test]
    fn x06_the_destructor_of_a_run_panics(RunDestructor, Panic) {
        StopX => "panic", GRACED;
        "stopping (asked) → stopped (asked)"; STOPPED; "nothing", AT_ONCE;
    }
    #[test]
    fn x03_the_destructor_of_a_run_blocks(RunDestructor, Blocked) {
        StopX => "x has leaked", LEAKED;
        "stopping (asked) → failed (leaked)"; STOPPED; "had failed", AT_ONCE;
    }
    #[test]
    fn c06_the_caller_leaves_the_destructor_of_a_run(RunDestructor, CallerGone) {
        StopX => "aborted", AT_ONCE;
        "stopping (asked) → stopped (asked)"; STOPPED; "nothing", AT_ONCE;
    }
    #[test]
    fn x06_the_destructor_of_what_is_published_panics(PublishedDestructor, Panic) {
        StopX => "panic", AT_ONCE;
        "stopping (asked) → stopped (asked)"; STOPPED; "nothing", AT_ONCE;
    }
    #[test]
    fn x03_the_destructor_of_what_is_published_blocks(PublishedDestructor, Blocked) {
        StopX => "x has leaked", LEAKED;
        "stopping (asked) → failed (leaked)"; STOPPED; "had failed", AT_ONCE;
    }
    #[test]
    fn c06_the_caller_leaves_the_destructor_of_what_is_published(PublishedDestructor, CallerGone) {
        StopX => "clean", AT_ONCE;
        "stopping (asked) → stopped (asked)"; STOPPED; "nothing", AT_ONCE;
    }
    #[test]
    fn c02_the_destructor_of_an_error_panics(ErrorDestructor, Panic) {
        RestartX => "restarted", AT_ONCE;
        "stopping (restart) → stopped (restart) → starting → running"; BACK; "clean", AT_ONCE;
    }
    #[test]
    fn c02_x03_the_destructor_of_an_error_blocks(ErrorDestructor, Blocked) {
        RestartX => "x failed (start timeout in run)", STARTED;
        "stopping (restart) → stopped (restart) → starting → stopping (start_deadline) → failed (leaked)"; WAITS; "had failed", AT_ONCE;
    }
    #[test]
    fn c06_the_caller_leaves_the_destructor_of_an_error(ErrorDestructor, CallerGone) {
        RestartX => "restarted", AT_ONCE;
        "stopping (restart) → stopped (restart) → starting → stopping (restart) → stopped (restart) \
         → starting → running"; BACK; "clean", AT_ONCE;
    }
    #[test]
    fn p25_the_destructor_of_what_load_yielded_panics(ServiceDestructor, Panic) {
        Drop => "goes on", AT_ONCE;
        STAYS; STAYS; "clean", AT_ONCE;
    }
    #[test]
    fn p25_the_destructor_of_what_load_yielded_blocks(ServiceDestructor, Blocked) {
        Drop => "waits", AT_ONCE;
        STAYS; STAYS; "clean", AT_ONCE;
    }
    #[test]
    fn p25_the_destructor_of_the_context_panics(ContextDestructor, Panic) {
        Drop => "goes on", AT_ONCE;
        STAYS; STAYS; "clean", AT_ONCE;
    }
    #[test]
    fn p25_the_destructor_of_the_context_blocks(ContextDestructor, Blocked) {
        Drop => "waits", AT_ONCE;
        STAYS; STAYS; "clean", AT_ONCE;
    }
}
