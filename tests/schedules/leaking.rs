//! Runs that outlast their abort: which of a case, and how that is done on one thread and a paused clock.
//!
//! Trap: a task can not be dropped while its runtime is driven by nobody, and it is dropped with that.

use std::future::Future;

use plux::ServiceContext;
use tokio::runtime::{Builder, Runtime};

use crate::actor::{Recorder, wait};
use crate::case::{Case, Script, Task};
use crate::commands;
use crate::dice::Dice;
use crate::run::What;

/// What came to be drawn last: it changes nothing of what was drawn before.
pub(crate) fn leaking(dice: &mut Dice, case: &mut Case) {
    let leaks = if dice.one_in(3) { 1 + dice.roll(2) } else { 0 };
    for _ in 0..leaks {
        let service = dice.roll(case.services.len());
        let service = &mut case.services[service];
        let base = service.scripts.first().copied().unwrap_or(service.usual);
        let time = dice.pick(&[5, 500, 1_040, 2_000, 5_000]);
        let script = Script { task: Some(Task::Stuck(time)), ..base };
        let place = dice.roll(2).min(service.scripts.len());
        service.scripts.insert(place, script);
    }
    for _ in 0..if leaks > 0 { dice.roll(8) } else { 0 } {
        // Also while it has leaked, and after that.
        let call = dice.roll(case.calls.len());
        let mut call = case.calls[call];
        call.at += dice.pick(&[1_050, 1_500, 6_000]);
        case.calls.push(call);
    }
}

/// A runtime that nobody drives, and what stands in it.
pub(crate) struct Stuck(Option<Runtime>);

/// Has the run spawn a task that can not be ended.
pub(crate) fn spawn_stuck(
    cx: &ServiceContext,
    task: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<Stuck> {
    let runtime = Builder::new_current_thread().build()?;
    let inside = runtime.enter();
    cx.spawn(task);
    drop(inside);
    Ok(Stuck(Some(runtime)))
}

/// Ends it after a time.
pub(crate) fn release(stuck: Stuck, time: u64, recorder: Recorder, released: What) {
    drop(commands::spawn(async move {
        wait(time).await;
        recorder.write(released);
        recorder.at_once(|| drop(stuck));
    }));
}

impl Drop for Stuck {
    fn drop(&mut self) {
        // A plain drop may not be done within another runtime.
        self.0.take().into_iter().for_each(Runtime::shutdown_background);
    }
}
