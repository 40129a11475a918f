//! Services that wait for what can not come before their own end, and some that only seem to.

use std::sync::Arc;

use parking_lot::Mutex;
use plux::{
    GiveUp, Group, Intensity, Reaction, RestartError, RestartPolicy, StartError, StartOutcome,
    StopError,
};
use tokio::time::{Instant, sleep};

use crate::c02_callbacks::{asks, of};
use crate::kit::{Do, Kit, OnStop, Probe, SECOND, order, settle, spawn, tireless};

#[tokio::test(start_paused = true)]
async fn c02_the_restart_of_a_companion_is_ones_own_end() {
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let kit = Kit::with([&a, &b], |builder| {
        tireless(builder).group(Group::one_for_all("store", ["a", "b"]))
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    let (ask, error) = asks(|cx| async move { of(&cx).restart("b").await.unwrap_err() });
    a.order(ask);
    settle().await;
    let error = error.lock().take().expect("it hangs");
    assert!(
        matches!(&error, RestartError::OwnEnd { name, origin } if name == origin.file && *name == *"b"),
        "{error}"
    );
    assert!(error.to_string().contains("own end"), "{error}");
    assert_eq!([kit.state("a"), kit.state("b")], ["running"; 2]);
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [1; 2], "nothing has changed");
}

#[tokio::test(start_paused = true)]
async fn c02_so_is_that_of_one_for_whom_a_companion_has_to_end() {
    // What a requires is restarted with b.
    let (a, b, mid) = (Probe::new("a").requires("mid"), Probe::new("b"), Probe::new("mid"));
    let kit = Kit::with([&a, &b, &mid], |builder| {
        tireless(builder).group(Group::one_for_all("store", ["b", "mid"]))
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    let (ask, error) = asks(|cx| async move { of(&cx).restart("b").await.unwrap_err() });
    a.order(ask);
    settle().await;
    let error = error.lock().take().expect("it hangs");
    assert!(matches!(&error, RestartError::OwnEnd { .. }), "{error}");
    assert_eq!(kit.incarnation("b"), 1);
}

#[tokio::test(start_paused = true)]
async fn c02_d04_so_is_that_of_what_one_stands_on_through_one_that_completed() {
    let (base, once) = (Probe::new("base"), Probe::new("once").requires("base"));
    let (once, a) = (once.begin([Do::Ready, Do::Complete]), Probe::new("a").requires("once"));
    let kit = Kit::with([&base, &once, &a], tireless);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    let (ask, error) = asks(|cx| async move { of(&cx).restart("base").await.unwrap_err() });
    a.order(ask);
    settle().await;
    let error = error.lock().take().expect("it hangs");
    assert!(matches!(&error, RestartError::OwnEnd { .. }), "{error}");
    assert_eq!([kit.incarnation("base"), kit.incarnation("a")], [1; 2]);
}

#[tokio::test(start_paused = true)]
async fn c02_the_second_run_of_a_companion_that_completed_is_ones_own_end() {
    let (a, b) = (Probe::new("a"), Probe::new("b").begin([Do::Ready, Do::Complete]));
    let kit = Kit::with([&a, &b], |builder| builder.group(Group::one_for_all("store", ["a", "b"])));
    assert!(kit.supervisor.start_all().await.is_ok());
    settle().await;
    assert_eq!([kit.state("a"), kit.state("b")], ["running", "stopped (completed)"]);
    let (ask, error) = asks(|cx| async move { of(&cx).start("b").await.unwrap_err() });
    a.order(ask);
    settle().await;
    let error = error.lock().take().expect("it hangs");
    assert!(
        matches!(&error, StartError::OwnEnd { name, origin } if name == origin.file && *name == *"b"),
        "{error}"
    );
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [1; 2]);
}

#[tokio::test(start_paused = true)]
async fn c02_d01_so_is_the_restart_of_one_that_comes_after_who_asks_and_ends_it() {
    // What x requires is of its group, and has completed: x is told to stop, and a begins after it.
    for reaction in [Reaction::Restart, Reaction::Stop] {
        let once = Probe::new("once").begin([Do::Ready, Do::Complete]);
        let (x, a) = (Probe::new("x").requires_to(reaction, "once"), Probe::new("a").after("x"));
        let kit = Kit::with([&once, &x, &a], |builder| {
            tireless(builder).group(Group::one_for_all("store", ["once", "a"]))
        });
        assert!(kit.supervisor.start_all().await.is_ok());
        settle().await;
        let (ask, answer) = asks(|cx| async move { of(&cx).restart("a").await });
        x.order(ask);
        settle().await;
        let answer = answer.lock().take().expect("it hangs");
        if reaction == Reaction::Restart {
            assert!(matches!(&answer, Err(RestartError::OwnEnd { .. })), "{answer:?}");
            assert_eq!([kit.incarnation("x"), kit.incarnation("a")], [1; 2]);
        } else {
            // It does not come back, so nobody waits for it.
            answer.unwrap();
            assert_eq!([kit.incarnation("x"), kit.incarnation("a")], [1, 2]);
        }
        assert_eq!(kit.state("a"), "running");
    }
}

#[tokio::test(start_paused = true)]
async fn c02_s02_so_is_the_stop_of_what_a_start_needs_that_pulled_who_asks() {
    // The start fails, and nobody else holds x; b stops after it.
    let (b, x) = (Probe::new("b"), Probe::new("x").after("b"));
    let top = Probe::new("top").requires("b").wants("x").begin([]);
    let kit = Kit::new([&b, &x, &top]);
    let _start = kit.starting("top").await;
    let (ask, error) = asks(|cx| async move { of(&cx).stop("b").await.unwrap_err() });
    x.order(ask);
    settle().await;
    let error = error.lock().take().expect("it hangs");
    assert!(matches!(&error, StopError::OwnEnd { .. }), "{error}");
    assert_eq!(
        [kit.state("b"), kit.state("x"), kit.state("top")],
        ["running", "running", "starting"]
    );
}

#[tokio::test(start_paused = true)]
async fn c02_d01_nobody_waits_for_the_end_of_who_asks_and_can_not_come_back() {
    // As before, but what x goes on without has failed: a begins before x has ended.
    let gone = Probe::new("gone").options(|it| it.with_restart(RestartPolicy::Temporary));
    let once = Probe::new("once").begin([Do::Ready, Do::Complete]);
    let x = Probe::new("x").requires_to(Reaction::Keep, "gone");
    let x = x.requires_to(Reaction::Restart, "once");
    let a = Probe::new("a").after("x");
    let kit = Kit::with([&gone, &once, &x, &a], |builder| {
        tireless(builder).group(Group::one_for_all("store", ["once", "a"]))
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&gone, Do::Fail("no")).await;
    let (ask, answer) = asks(|cx| async move { of(&cx).restart("a").await });
    order(&x, ask).await;
    answer.lock().take().expect("it hangs").unwrap();
    assert_eq!([kit.incarnation("x"), kit.incarnation("a")], [1, 2]);
    assert_eq!(kit.state("a"), "running");
}

#[tokio::test(start_paused = true)]
async fn c02_d01_s07_nobody_waits_for_who_asks_when_what_that_requires_ends_for_good() {
    // What x requires stops with the group of top, and is temporary: so x is not coming, and a begins before
    // x has ended.
    let base = Probe::new("base").options(|it| it.with_restart(RestartPolicy::Temporary));
    let x = Probe::new("x").requires("base");
    let (a, top) = (Probe::new("a").after("x"), Probe::new("top").requires("a"));
    let kit = Kit::with([&base, &x, &a, &top], |builder| {
        tireless(builder).group(Group::one_for_all("store", ["base", "top"]))
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    let (ask, answer) = asks(|cx| async move { of(&cx).restart("a").await });
    order(&x, ask).await;
    answer.lock().take().expect("it hangs").unwrap();
    settle().await;
    assert_eq!([kit.incarnation("base"), kit.incarnation("x"), kit.incarnation("a")], [1, 1, 2]);
    assert_eq!([kit.state("base"), kit.state("a")], ["stopped (group)", "running"]);
}

#[tokio::test(start_paused = true)]
async fn c02_a02_who_joins_a_start_waits_for_nothing_that_has_come_since() {
    // a wants b, which came after the start of a had begun: nobody waits for b, which would wait for the end
    // of x.
    let (x, a) = (Probe::new("x"), Probe::new("a").wants("b").begin([]));
    let kit = Kit::with([&x, &a], tireless);
    kit.supervisor.start("x").await.unwrap();
    let _start = kit.starting("a").await;
    kit.add([&Probe::new("b").requires("x")]).await.unwrap();
    let answer = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&answer);
    let leave = Do::call(move |cx| {
        let (slot, supervisor) = (Arc::clone(&slot), of(&cx));
        cx.spawn(async move {
            sleep(SECOND).await;
            let answer = supervisor.restart("a").await;
            *slot.lock() = Some(answer);
        });
        async {}
    });
    order(&x, leave).await;
    order(&x, Do::Complete).await;
    sleep(2 * SECOND).await;
    assert!(answer.lock().is_none(), "{answer:?}");
    order(&a, Do::Ready).await;
    answer.lock().take().expect("it hangs").unwrap();
    assert_eq!(kit.incarnation("a"), 2);
    assert_eq!([kit.state("a"), kit.state("b")], ["running", "stopped (never started)"]);
}

#[tokio::test(start_paused = true)]
async fn c02_a_companion_may_ask_for_the_restart_and_a_task_that_is_not_its_own_may_wait_for_it() {
    for waits in [false, true] {
        let (a, b) = (Probe::new("a"), Probe::new("b"));
        let kit = Kit::with([&a, &b], |builder| {
            tireless(builder).group(Group::one_for_all("store", ["a", "b"]))
        });
        assert!(kit.supervisor.start_all().await.is_ok());
        let (ask, task) = asks(move |cx| async move {
            let supervisor = of(&cx);
            if waits {
                return Some(spawn(async move { supervisor.restart("b").await.map(drop) }));
            }
            supervisor.request_restart("b").unwrap();
            None
        });
        a.order(ask);
        settle().await;
        assert_eq!([kit.state("a"), kit.state("b")], ["running"; 2]);
        assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [2; 2]);
        let task = task.lock().take().expect("it was asked");
        if let Some(task) = task {
            task.await.unwrap().unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn c02_one_in_a_group_that_only_shares_a_budget_may_restart_another() {
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let kit = Kit::with([&a, &b], |builder| {
        let group = Group::one_for_one("store", ["a", "b"]);
        tireless(builder).group(group.with_intensity(Intensity::new(10, SECOND), GiveUp::Fail))
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    let (ask, restarted) = asks(|cx| async move { of(&cx).restart("b").await.map(drop) });
    a.order(ask);
    settle().await;
    restarted.lock().take().expect("it hangs").unwrap();
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn c02_d05_who_is_kept_can_restart_what_it_requires() {
    let db = Probe::new("db");
    let web = Probe::new("web").requires_to(Reaction::Keep, "db");
    let kit = Kit::with([&db, &web], tireless);
    kit.supervisor.start("web").await.unwrap();
    let (ask, restarted) = asks(|cx| async move { of(&cx).restart("db").await.map(drop) });
    web.order(ask);
    settle().await;
    restarted.lock().take().expect("it hangs").unwrap();
    assert_eq!((kit.incarnation("db"), kit.incarnation("web")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn c02_d05_who_stands_on_one_that_is_kept_can_too() {
    let (db, mid) = (Probe::new("db"), Probe::new("mid").requires_to(Reaction::Keep, "db"));
    let web = Probe::new("web").requires("mid");
    let kit = Kit::with([&db, &mid, &web], tireless);
    kit.supervisor.start("web").await.unwrap();
    let (ask, restarted) = asks(|cx| async move { of(&cx).restart("db").await.map(drop) });
    web.order(ask);
    settle().await;
    restarted.lock().take().expect("it hangs").unwrap();
    assert_eq!((kit.incarnation("db"), kit.incarnation("web")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn c02_d04_the_stop_of_what_one_requires_is_ones_own_end_also_for_who_is_kept() {
    let db = Probe::new("db");
    let web = Probe::new("web").requires_to(Reaction::Keep, "db");
    let kit = Kit::with([&db, &web], tireless);
    kit.supervisor.start("web").await.unwrap();
    let (ask, answers) = asks(|cx| async move {
        (of(&cx).stop("db").await.unwrap_err(), of(&cx).stop_unused("db").await.unwrap_err())
    });
    web.order(ask);
    settle().await;
    let (stop, unused) = answers.lock().take().expect("it hangs");
    assert!(matches!(&stop, StopError::OwnEnd { .. }), "{stop}");
    assert!(matches!(&unused, StopError::InUse { .. }), "{unused}");
    assert_eq!([kit.state("db"), kit.state("web")], ["running"; 2]);
}

#[tokio::test(start_paused = true)]
async fn c02_who_ends_waits_in_vain_for_what_it_requires_to_come_back() {
    // The stop of the base waits for a; the start waits for that.
    let (base, a) = (Probe::new("base"), Probe::new("a").requires("base").on_stop(OnStop::Ignore));
    let kit = Kit::new([&base, &a]);
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.request_stop("base").unwrap();
    settle().await;
    let (ask, answers) = asks(|cx| async move {
        (of(&cx).start("base").await.unwrap_err(), of(&cx).restart("base").await.unwrap_err())
    });
    a.order(ask);
    settle().await;
    let (start, restart) = answers.lock().take().expect("it hangs");
    assert!(matches!(&start, StartError::OwnEnd { .. }), "{start}");
    assert!(matches!(&restart, RestartError::OwnEnd { .. }), "{restart}");
    a.order(Do::Complete);
    settle().await;
    assert_eq!([kit.state("base"), kit.state("a")], ["stopped (asked)", "stopped (dependency)"]);
}

#[tokio::test(start_paused = true)]
async fn c02_who_stands_on_what_completed_may_run_it_again() {
    // It is told to stop, and nobody waits for its end.
    let (once, a) =
        (Probe::new("once").begin([Do::Ready, Do::Complete]), Probe::new("a").requires("once"));
    let kit = Kit::with([&once, &a], tireless);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    let (ask, started) = asks(|cx| async move { of(&cx).start("once").await });
    a.order(ask);
    settle().await;
    assert_eq!(started.lock().take().expect("it hangs").unwrap(), StartOutcome::Started);
    assert_eq!((kit.incarnation("once"), kit.incarnation("a")), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn c02_d01_one_can_wait_for_the_completion_of_what_one_requires() {
    let (once, a) = (Probe::new("once"), Probe::new("a").requires("once"));
    let kit = Kit::new([&once, &a]);
    kit.supervisor.start("a").await.unwrap();
    let (ask, state) = asks(|cx| async move { of(&cx).wait("once").await });
    a.order(ask);
    settle().await;
    once.order(Do::Complete);
    settle().await;
    let state = state.lock().take().expect("it hangs").unwrap();
    assert_eq!(
        (state.to_string(), kit.state("a")),
        ("stopped (completed)".into(), "running".into())
    );
}

#[tokio::test(start_paused = true)]
async fn c02_who_is_told_to_stop_while_it_waits_for_what_ends_afterwards_hears_of_it() {
    let (once, a) = (Probe::new("once"), Probe::new("a").requires("once"));
    let kit = Kit::new([&once, &a]);
    kit.supervisor.start("a").await.unwrap();
    let (ask, error) = asks(|cx| async move { of(&cx).wait("once").await.unwrap_err() });
    a.order(ask);
    settle().await;
    let call = Instant::now();
    assert_eq!(kit.supervisor.stop("once").await.unwrap().rows.len(), 2);
    assert!(call.elapsed() < SECOND, "{:?}", call.elapsed());
    let error = error.lock().take().expect("it was told");
    assert!(matches!(&error, StopError::OwnEnd { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn c02_so_does_who_waits_for_a_stop_or_a_restart_that_has_not_come_so_far() {
    for restarts in [false, true] {
        let slow = Probe::new("slow").requires("b").on_stop(OnStop::Take(2 * SECOND));
        let (b, a) = (Probe::new("b"), Probe::new("a").wants("b"));
        let kit = Kit::with([&b, &slow, &a], tireless);
        assert!(kit.supervisor.start_all().await.is_ok());
        let (ask, text) = asks(move |cx| async move {
            let supervisor = of(&cx);
            if restarts {
                supervisor.restart("b").await.unwrap_err().to_string()
            } else {
                supervisor.stop("b").await.unwrap_err().to_string()
            }
        });
        a.order(ask);
        settle().await;
        let call = Instant::now();
        kit.supervisor.stop("a").await.unwrap();
        assert!(call.elapsed() < SECOND, "{:?}", call.elapsed());
        let text = text.lock().take().expect("it was told");
        assert!(text.contains("its own end"), "{text}");
        // The call goes on.
        sleep(3 * SECOND).await;
        let (state, incarnation) = if restarts { ("running", 2) } else { ("stopped (asked)", 1) };
        assert_eq!((kit.state("b"), kit.incarnation("b")), (state.into(), incarnation));
    }
}

#[tokio::test(start_paused = true)]
async fn c02_d04_so_does_who_waits_for_the_stop_of_what_has_completed_and_is_stood_on() {
    let base = Probe::new("base").begin([Do::Ready, Do::Complete]);
    let slow = Probe::new("slow").requires("b").on_stop(OnStop::Take(2 * SECOND));
    let (b, a) = (Probe::new("b").requires("base"), Probe::new("a").wants("b"));
    let kit = Kit::with([&base, &b, &slow, &a], tireless);
    assert!(kit.supervisor.start_all().await.is_ok());
    settle().await;
    assert_eq!(kit.state("base"), "stopped (completed)");
    let (ask, error) = asks(|cx| async move { of(&cx).stop("base").await.unwrap_err() });
    a.order(ask);
    settle().await;
    let call = Instant::now();
    kit.supervisor.stop("a").await.unwrap();
    assert!(call.elapsed() < SECOND, "{:?}", call.elapsed());
    let error = error.lock().take().expect("it was told");
    assert!(matches!(&error, StopError::OwnEnd { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn c02_who_is_told_to_stop_while_it_waits_for_what_does_not_wait_for_it_hears_the_answer() {
    for ends in [false, true] {
        // It may even be what it wants, when that has been told to stop.
        let other = Probe::new("other").on_stop(OnStop::Take(2 * SECOND));
        let a = Probe::new("a");
        let a = if ends { a.wants("other") } else { a };
        let kit = Kit::new([&other, &a]);
        assert!(kit.supervisor.start_all().await.is_ok());
        let (ask, stopped) = asks(|cx| async move { of(&cx).stop("other").await });
        a.order(ask);
        settle().await;
        let call = Instant::now();
        kit.supervisor.stop("a").await.unwrap();
        assert!(call.elapsed() < 3 * SECOND, "{:?}", call.elapsed());
        assert_eq!(stopped.lock().take().expect("it waits").unwrap().rows.len(), 1);
        assert_eq!([kit.state("a"), kit.state("other")], ["stopped (asked)"; 2]);
    }
}

#[tokio::test(start_paused = true)]
async fn c02_d04_who_stands_on_what_ends_through_one_that_completed_waits_in_vain_for_it() {
    let (base, once) = (Probe::new("base"), Probe::new("once").requires("base"));
    let once = once.begin([Do::Ready, Do::Complete]);
    let a = Probe::new("a").requires("once").on_stop(OnStop::Ignore);
    let kit = Kit::new([&base, &once, &a]);
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.request_stop("base").unwrap();
    settle().await;
    let (ask, error) = asks(|cx| async move { of(&cx).wait("base").await.unwrap_err() });
    a.order(ask);
    settle().await;
    let error = error.lock().take().expect("it hangs");
    assert!(matches!(&error, StopError::OwnEnd { .. }), "{error}");
    a.order(Do::Complete);
    settle().await;
    assert_eq!(kit.state("base"), "stopped (asked)");
}

#[tokio::test(start_paused = true)]
async fn c02_x02_who_waits_for_a_start_that_is_rolled_back_with_it_hears_of_that() {
    // The start pulls the one that waits for it, so it is answered when that has ended.
    let (a, x) = (Probe::new("a"), Probe::new("x").requires("a").begin([]));
    let kit = Kit::new([&a, &x]);
    kit.supervisor.start("a").await.unwrap();
    let (ask, error) = asks(|cx| async move { of(&cx).start("x").await.unwrap_err() });
    a.order(ask);
    settle().await;
    assert_eq!([kit.state("a"), kit.state("x")], ["running", "starting"]);
    let call = Instant::now();
    let report = kit.supervisor.shutdown().await.unwrap();
    assert!(report.is_clean() && call.elapsed() < SECOND, "{report}");
    let error = error.lock().take().expect("it was told");
    assert!(matches!(&error, StartError::OwnEnd { name, .. } if name == "x"), "{error}");
}
