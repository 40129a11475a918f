//! The first poll of a plugin's load, and the polls after it.

use std::sync::Arc;

use plux::{
    BoxError, FailureCause, ListFinder, LoadError, Name, Namespace, Phase, PluginManager,
    PluginSpec, extension_point, plugin,
};

#[extension_point(namespace = "test.calling", output = usize)]
trait Called {}

/// Yields so many times, then answers, fails or panics.
struct Scripted {
    asks: Script,
    loads: Script,
}

#[derive(Clone, Copy)]
struct Script {
    yields: usize,
    end: End,
}

#[derive(Clone, Copy)]
enum End {
    Answer,
    Error,
    Panic,
}

impl Script {
    async fn play(self) -> Result<(), BoxError> {
        for _ in 0..self.yields {
            tokio::task::yield_now().await;
        }
        match self.end {
            End::Answer => Ok(()),
            End::Error => Err("as scripted".into()),
            End::Panic => panic!("as scripted"),
        }
    }
}

impl Default for Scripted {
    fn default() -> Self {
        let at_once = Script { yields: 0, end: End::Answer };
        Self { asks: at_once, loads: at_once }
    }
}

#[plugin(name = "scripted")]
impl Called for Scripted {
    async fn should_load(&self, _context: &()) -> Result<bool, BoxError> {
        self.asks.play().await.map(|()| true)
    }

    async fn load(&self, _context: &()) -> Result<usize, BoxError> {
        self.loads.play().await.map(|()| self.loads.yields)
    }
}

async fn load(asks: Script, loads: Script) -> Result<usize, LoadError> {
    let make = move || Ok(Arc::new(Scripted { asks, loads }) as Arc<dyn Called>);
    let (namespace, name) = (Namespace::literal("test.calling"), Name::literal("one"));
    let finder = ListFinder::new([PluginSpec::new::<dyn Called>(namespace, name, make)]);
    let manager = PluginManager::<dyn Called>::builder(()).finder(finder).build();
    manager.load("one").await.map(|loaded| *loaded.output())
}

#[tokio::test]
async fn p12_p15_p24_every_end_of_a_phase_is_told_whether_it_was_pending_or_not() {
    let answer = |yields| Script { yields, end: End::Answer };
    for yields in [0, 1, 3] {
        for asking in [0, 1, 3] {
            assert_eq!(load(answer(asking), answer(yields)).await.unwrap(), yields);
        }
        let error = Script { yields, end: End::Error };
        let panic = Script { yields, end: End::Panic };
        for (asks, loads, phase, panics) in [
            (error, answer(0), Phase::ShouldLoad, false),
            (panic, answer(0), Phase::ShouldLoad, true),
            (answer(1), error, Phase::Load, false),
            (answer(1), panic, Phase::Load, true),
        ] {
            let Err(LoadError::Failed(failure)) = load(asks, loads).await else {
                panic!("{phase} after {yields} yields did not fail");
            };
            assert_eq!(failure.phase, phase);
            let message = match &failure.cause {
                FailureCause::Error(error) if !panics => error.to_string(),
                FailureCause::Panic(panic) if panics => panic.message.clone(),
                other => panic!("{other:?}"),
            };
            assert_eq!(message, "as scripted");
        }
    }
}
