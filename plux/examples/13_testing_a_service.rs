//! A service is tested without what it requires, on a paused clock; and so is a faulty one.
//!
//! The trap: the clock must be paused, or a service that is never ready costs the test its whole
//! `start_timeout`. In a test that is `#[tokio::test(start_paused = true)]`.

use plux::testing::{Finding, Probe, Recorder, ServiceTest, Step};
use plux::{BoxError, FnService, ServiceContext, Supervisor};
use std::time::Duration;

/// What `store` publishes in the real program.
struct Store(Vec<&'static str>);

#[plux::service(requires = ["store"])]
async fn shop(cx: ServiceContext) -> Result<(), BoxError> {
    let store = cx.dependency::<Store>("store")?.get()?;
    cx.ready(store.0.len());
    cx.stopping().await;
    Ok(())
}

#[plux::service]
async fn forgetful(cx: ServiceContext) -> Result<(), BoxError> {
    cx.stopping().await;
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), BoxError> {
    // Its start, a restart, the loss of `store`, its stop, and what it leaves.
    let test = ServiceTest::plugin::<dyn FnService>("shop", ())
        .given("store", || Store(vec!["tea", "coffee"]))
        .publishes::<usize>();
    test.check().await?;

    // The same by hand, to look at what it does.
    let trial = test.start().await?;
    assert_eq!(*trial.handle::<usize>()?.get()?, 2);
    trial.lose("store").await?;
    trial.recorder().assert_order(["store backoff", "shop stopping (dependency)", "shop running"]);
    trial.finish().await?;

    // What is wrong is said.
    match ServiceTest::plugin::<dyn FnService>("forgetful", ()).check().await {
        Err(found @ Finding::NeverReady { .. }) => println!("{found}"),
        other => panic!("{other:?}"),
    }

    // A host is tested with services that follow a script: here the first run of `db` fails.
    let recorder = Recorder::new();
    let fails = [Step::Ready, Step::Sleep(Duration::from_secs(1)), Step::Fail("the disk is full")];
    let services = [Probe::new("db").run(1, fails), Probe::new("api").requires("db")];
    let supervisor = Supervisor::builder()
        .manager(Probe::manager(services, &recorder))
        .listener(recorder.clone())
        .build()?;
    supervisor.start("api").await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    supervisor.shutdown().await?;
    recorder.assert_order(["db backoff", "api stopped", "db#2 begun", "api#2 begun"]);
    recorder.assert_one_live();
    print!("{recorder}");
    Ok(())
}
