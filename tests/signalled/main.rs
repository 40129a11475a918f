//! The program that the tests of signals drive: `plux::main`, one supervisor, and services that do
//! what the first argument says. The second one is their grace period in milliseconds.
//!
//! It writes `up` when they are started, `starting` and `stopping` for what hangs there, and the
//! report.

use std::error::Error;
use std::future::pending;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use plux::{
    BoxError, Dependency, DependencyKind, ListFinder, Name, Namespace, PluginManager, PluginSpec,
    Service, ServiceContext, ShutdownReport, SpecRef, Supervisor,
};

#[plux::extension_point(namespace = "signalled", output = Arc<dyn Service>)]
trait Played {}

/// What a service does.
#[derive(Clone, Copy)]
enum Part {
    /// It is ready, and stops when told.
    Serves,
    /// It never gets ready.
    Hangs,
    /// It fails after it was ready.
    Fails,
    /// It stops with an error.
    FailsToStop,
    /// It does not stop.
    Ignores,
    /// It blocks its thread for ever when it is to stop.
    Blocks,
    /// It asks for the shutdown itself.
    ShutsDown,
    /// The same, and it blocks every worker when it is to stop.
    ShutsDownAndBlocks,
}

#[plux::async_trait]
impl Played for Part {
    async fn load(&self, _: &()) -> Result<Arc<dyn Service>, BoxError> {
        Ok(Arc::new(*self))
    }
}

#[plux::async_trait]
impl Service for Part {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        match self {
            Self::Hangs => say("starting"),
            _ => {
                cx.ready(());
            }
        }
        match self {
            Self::Fails => return Err("on purpose".into()),
            Self::ShutsDown | Self::ShutsDownAndBlocks => {
                cx.supervisor().upgrade().ok_or("no supervisor")?.request_shutdown()
            }
            _ => {}
        }
        cx.stopping().await;
        say("stopping");
        match self {
            Self::FailsToStop => Err("on purpose".into()),
            Self::Ignores => pending().await,
            Self::Blocks => block(),
            Self::ShutsDownAndBlocks => {
                block_all_workers();
                block()
            }
            _ => Ok(()),
        }
    }
}

fn block() -> ! {
    loop {
        std::thread::park();
    }
}

#[expect(clippy::print_stdout, reason = "the test reads it")]
fn say(line: &str) {
    println!("{line}");
}

/// A service on a base that only serves.
fn supervisor(
    part: Part,
    grace_period: Duration,
) -> Result<Supervisor, Box<dyn Error + Send + Sync>> {
    let spec = |name, part: Part| -> PluginSpec {
        let make = move || -> Result<Arc<dyn Played>, BoxError> { Ok(Arc::new(part)) };
        PluginSpec::new::<dyn Played>(Namespace::literal("signalled"), Name::literal(name), make)
    };
    let on_base = Dependency::literal(DependencyKind::Requires, None, "base");
    let specs: [SpecRef; 2] =
        [spec("base", Part::Serves).into(), spec("part", part).with_dependency(on_base).into()];
    let manager = PluginManager::<dyn Played>::builder(()).finder(ListFinder::new(specs)).build();
    let builder = Supervisor::builder().manager(manager).grace_period(grace_period);
    Ok(builder.join_timeout(Duration::from_millis(50)).build()?)
}

async fn play(part: Part, after_start: impl AsyncFnOnce(&Supervisor)) -> Outcome {
    let grace_period = std::env::args().nth(2).ok_or("no grace period")?.parse()?;
    let supervisor = supervisor(part, Duration::from_millis(grace_period))?;
    let starts = async {
        if let Err(error) = supervisor.start("part").await {
            say(&error.to_string());
        }
        after_start(&supervisor).await;
        say("up");
    };
    let (report, ()) = tokio::join!(supervisor.run_until_signal(), starts);
    let report = report?;
    say(&report.to_string());
    Ok(report)
}

type Outcome = Result<ShutdownReport, BoxError>;

fn main() -> ExitCode {
    let nothing = async |_: &Supervisor| ();
    plux::main(async move {
        match std::env::args().nth(1).as_deref() {
            Some("serves") => play(Part::Serves, nothing).await,
            Some("hangs") => play(Part::Hangs, nothing).await,
            Some("fails-before") => {
                play(Part::Fails, async |supervisor| {
                    // Unknown it is not.
                    let _ = supervisor.wait("part").await;
                })
                .await
            }
            Some("fails-to-stop") => play(Part::FailsToStop, nothing).await,
            Some("ignores") => play(Part::Ignores, nothing).await,
            Some("blocks") => play(Part::Blocks, nothing).await,
            Some("shuts-down-and-blocks") => play(Part::ShutsDownAndBlocks, nothing).await,
            Some("shuts-down") => play(Part::ShutsDown, nothing).await,
            Some("blocks-all") => play(Part::Serves, async |_| block_all_workers()).await,
            Some("lingers") => {
                play(Part::ShutsDown, nothing).await?;
                say("over");
                pending().await
            }
            Some("panics") => panic!("on purpose"),
            other => Err(format!("no such part: {other:?}").into()),
        }
    })
}

/// More tasks that block than there are workers; each says so.
#[expect(clippy::disallowed_methods, reason = "the ban is for the library's tasks")]
fn block_all_workers() {
    for _ in 0..8 {
        tokio::spawn(async {
            say("blocked");
            block()
        });
    }
}
