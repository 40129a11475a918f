//! The first poll of a plugin's steps, and the polls after it.

use plux::{BoxError, FailureCause, LoadError, Phase};
use tokio::task::yield_now;

use crate::scripted::{Plugin, manager};

/// Yields so many times, then ends.
#[derive(Clone, Copy)]
struct Step {
    yields: usize,
    end: End,
}

#[derive(Clone, Copy)]
enum End {
    Answer,
    Error,
    Panic,
}

impl Step {
    async fn play(self) -> Result<usize, BoxError> {
        for _ in 0..self.yields {
            yield_now().await;
        }
        match self.end {
            End::Answer => Ok(self.yields),
            End::Error => Err("as scripted".into()),
            End::Panic => panic!("as scripted"),
        }
    }
}

async fn load(asks: Step, loads: Step) -> Result<Option<usize>, LoadError> {
    let plugin = Plugin::new("a")
        .should_load(move || async move { asks.play().await.map(|_| true) })
        .yields(move || loads.play());
    let loaded = manager([plugin]).load("a").await?;
    Ok(loaded.output().downcast_ref().copied())
}

#[tokio::test]
async fn p14_p24_p25_every_end_of_a_phase_is_told_whether_it_was_pending_or_not() {
    let answer = |yields| Step { yields, end: End::Answer };
    for yields in [0, 1, 3] {
        let error = Step { yields, end: End::Error };
        let panic = Step { yields, end: End::Panic };
        for (asks, loads, phase, panics) in [
            (error, answer(0), Phase::ShouldLoad, false),
            (panic, answer(0), Phase::ShouldLoad, true),
            (answer(1), error, Phase::Load, false),
            (answer(1), panic, Phase::Load, true),
        ] {
            let Err(LoadError::Failed(failure)) = load(asks, loads).await else {
                panic!("{phase} after {yields} yields did not fail");
            };
            let message = match &failure.cause {
                FailureCause::Error(error) if !panics => error.to_string(),
                FailureCause::Panic(panic) if panics => panic.message.clone(),
                other => panic!("{other:?}"),
            };
            assert_eq!((failure.phase, message.as_str()), (phase, "as scripted"));
        }
        for asking in [0, 1, 3] {
            assert_eq!(load(answer(asking), answer(yields)).await.unwrap(), Some(yields));
        }
    }
}
