//! Restarts without a delay, of a service that nothing depends on, while what it depends on is down.

use plux::{DependencyKind, Reaction, RestartPolicy};

use crate::kit::{Do, Kit, Probe, SECOND, order, settle, tireless};

#[tokio::test(start_paused = true)]
async fn d05_d06_who_was_kept_does_not_come_back_without_what_it_requires() {
    let db = Probe::new("db").options(|o| o.with_restart(RestartPolicy::Temporary));
    let web = Probe::new("web").requires_to(Reaction::Keep, "db");
    let kit = Kit::with([&db, &web], tireless);
    kit.supervisor.start("web").await.unwrap();
    order(&db, Do::Fail("for good")).await;
    assert_eq!(
        (kit.state("db").as_str(), kit.state("web").as_str()),
        ("failed: for good", "running")
    );
    order(&web, Do::Fail("no")).await;
    assert_eq!((kit.state("web").as_str(), kit.incarnation("web")), ("waiting", 1));
    kit.supervisor.start("db").await.unwrap();
    settle().await;
    assert_eq!((kit.state("web").as_str(), kit.incarnation("web")), ("running", 2));
}

#[tokio::test(start_paused = true)]
async fn d01_d06_a_restart_comes_after_the_attempt_of_what_is_wanted_or_ordered_before() {
    for kind in [DependencyKind::Wants, DependencyKind::After] {
        let db = Probe::new("db");
        let web = match kind {
            DependencyKind::Wants => Probe::new("web").wants("db"),
            _ => Probe::new("web").after("db"),
        };
        let kit = Kit::with([&db, &web], tireless);
        kit.supervisor.start("db").await.unwrap();
        kit.supervisor.start("web").await.unwrap();
        let _db = db.clone().begin([Do::Take(5 * SECOND), Do::Ready]);
        order(&db, Do::Fail("no")).await;
        assert_eq!((kit.state("db").as_str(), kit.state("web").as_str()), ("starting", "running"));
        order(&web, Do::Fail("no")).await;
        assert_eq!(kit.state("web"), "waiting", "{kind}");
        tokio::time::sleep(5 * SECOND).await;
        assert_eq!((kit.state("db").as_str(), kit.state("web").as_str()), ("running", "running"));
    }
}
