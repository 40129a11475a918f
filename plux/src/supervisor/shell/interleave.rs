//! The cell and the flags under loom: every way in which the accesses of those who share them can follow each
//! other.

use std::sync::Arc as StdArc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use loom::sync::atomic::{AtomicBool, Ordering, fence};
use loom::sync::{Arc, Mutex};
use loom::thread::{JoinHandle, spawn};

use super::cell::{Cell, Known, Lock};
use super::flags::{Flag, Flags, flag};
use crate::error::{BoxError, Exit};
use crate::options::ServiceOptions;
use crate::reason::StopReason;
use crate::restart::{Backoff, Intensity};
use crate::state::ServiceState;
use crate::supervisor::core::{Ending, Limits, Loan};

impl<T> Lock<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    fn with<A>(&self, access: impl FnOnce(&mut T) -> A) -> A {
        access(&mut self.lock().expect("nobody panics with the lock"))
    }
}

/// A run is its number.
type Subject = Cell<u32, Mutex<Known<u32>>>;

/// The cell of a service whose first run is ready, and what was told of it.
#[derive(Clone)]
struct World {
    cell: Arc<Subject>,
    told: Arc<Mutex<Vec<String>>>,
}

fn loan(restarts: u32) -> Box<Loan> {
    let options = ServiceOptions::NONE
        .with_backoff(Backoff::NONE)
        .with_intensity(Intensity::new(restarts, Duration::from_secs(60)));
    Box::new(Loan::new(StdArc::new(Limits::of(options)), None, Some(Duration::ZERO)))
}

fn failed() -> Ending {
    Ending::Exit(Exit::Failed(StdArc::from(BoxError::from("no"))))
}

impl World {
    fn new(restarts: u32) -> Self {
        let cell = Subject::new(ServiceState::Starting);
        cell.hold(1);
        cell.publish(ServiceState::Running, 1);
        cell.lend(loan(restarts));
        Self { cell: Arc::new(cell), told: Arc::new(Mutex::new(Vec::new())) }
    }

    fn tell(&self, what: &str, run: u32) {
        self.told.with(|told| told.push(format!("{run} {what}")));
    }

    /// The service's own task: it goes round until it may not, `rounds` times at most, and says which run
    /// it ended with.
    fn task(&self, rounds: u32) -> JoinHandle<u32> {
        let world = self.clone();
        spawn(move || {
            let (mut run, mut announced) = (1, false);
            for _ in 0..rounds {
                let tell = |state: &ServiceState, run| world.tell(state.word(), run);
                let turn = world.cell.turn(&failed(), Duration::ZERO, |run| run, tell);
                let Some((next, announces)) = turn else { break };
                assert_eq!(announces, !std::mem::replace(&mut announced, true), "once a loan");
                assert_eq!(next, run + 1, "runs are numbered without a gap");
                run = next;
                world.cell.ready(run, Duration::ZERO, tell);
            }
            run
        })
    }

    /// What the dispatcher does to stop the service: from here on the run is its own.
    fn recall(&self) -> u32 {
        let (run, _loan) = self.cell.recall().expect("it was lent");
        let state = ServiceState::Stopping(StopReason::Asked);
        self.tell(state.word(), run);
        self.cell.publish(state, run);
        run
    }
}

/// Plays it in every way; it says with which run the task ended. In some ways the task begins one.
fn every_way(play: impl Fn() -> u32 + Send + Sync + 'static) {
    let turns = StdArc::new(AtomicU32::new(0));
    let count = StdArc::clone(&turns);
    loom::model(move || {
        count.fetch_add(play() - 1, Ordering::Relaxed);
    });
    let turns = turns.load(Ordering::Relaxed);
    println!("{turns} turns");
    assert!(turns > 0, "nothing is lent");
}

#[test]
fn c01_a_loan_that_is_taken_back_and_a_turn_agree_about_the_present_run() {
    every_way(|| {
        let world = World::new(2);
        let task = world.task(3);
        let recalled = world.recall();
        let ended = task.join().expect("the task ends");
        assert_eq!(recalled, ended, "the dispatcher has the run that the task ended with");
        let (state, run, held) = world.cell.get();
        assert!(matches!(state, ServiceState::Stopping(_)), "{state}");
        assert_eq!((run, held), (ended, Some(ended)));
        // What is told is told in order, and the dispatcher's word comes last.
        let told = world.told.with(std::mem::take);
        let last = told.last().map(String::as_str);
        assert_eq!(last, Some(format!("{ended} stopping").as_str()), "{told:?}");
        let numbers = told.iter().map(|line| line.split(' ').next());
        assert!(numbers.is_sorted(), "{told:?}");
        let begun = told.iter().filter(|line| line.ends_with("starting")).count();
        assert_eq!(begun as u32, ended - 1, "{told:?}");
        ended
    });
}

#[test]
fn c01_c03_who_looks_sees_one_run_and_never_an_earlier_one() {
    every_way(|| {
        let world = World::new(1);
        let task = world.task(2);
        let reader = {
            let cell = Arc::clone(&world.cell);
            spawn(move || {
                let mut last = 0;
                for _ in 0..2 {
                    let (state, run, held) = cell.get();
                    assert_eq!(held, Some(run), "{state}");
                    assert!(run >= last, "{run} after {last}");
                    assert!(run > 1 || !matches!(state, ServiceState::Starting));
                    last = run;
                }
            })
        };
        let recalled = world.recall();
        assert_eq!(task.join().expect("the task ends"), recalled);
        reader.join().expect("the reader ends");
        recalled
    });
}

#[test]
fn c01_what_is_lent_again_goes_on_where_it_was() {
    every_way(|| {
        let world = World::new(3);
        let task = world.task(5);
        let (before, loan) = world.cell.recall().expect("it was lent");
        world.cell.lend(loan);
        let ended = task.join().expect("the task ends");
        assert!(ended >= before, "{ended} after {before}");
        // Nobody stopped it: its budget is what ended the turns, or that it found nothing lent.
        let (run, _loan) = world.cell.recall().expect("it was lent");
        assert_eq!(run, ended);
        assert!(ended <= 4, "three restarts, and no more: {ended}");
        ended
    });
}

#[test]
fn c01_what_was_handed_back_is_the_dispatchers() {
    every_way(|| {
        let world = World::new(9);
        let teller = {
            let cell = Arc::clone(&world.cell);
            spawn(move || cell.hand_back())
        };
        let task = world.task(2);
        let ended = task.join().expect("the task ends");
        teller.join().expect("the teller ends");
        let turned = world.cell.turn(&failed(), Duration::ZERO, |run| run, |_, _| ());
        assert_eq!(turned, None, "after {ended}");
        assert_eq!(world.recall(), ended);
        ended
    });
}

flag!(AtomicBool, fence);

/// So many mails at most.
const MAILS: usize = 2;

/// A mailbox that wakes nobody, and who is to look at it.
#[derive(Clone, Default)]
struct Letterbox {
    flags: Arc<Flags<AtomicBool>>,
    mails: Arc<[AtomicBool; MAILS]>,
    told: Arc<AtomicBool>,
}

impl Letterbox {
    /// The mail is there before, and no order but the flags' makes that known.
    fn send(&self, mail: usize) {
        self.mails[mail].store(true, Ordering::Relaxed);
        if self.flags.sent() {
            self.told.swap(true, Ordering::AcqRel);
        }
    }

    fn sends(&self, mails: &'static [usize]) -> JoinHandle<()> {
        let it = self.clone();
        spawn(move || mails.iter().for_each(|mail| it.send(*mail)))
    }

    /// The dispatcher takes in, so often, all that there is: which mails it has.
    fn reads(&self, times: usize) -> JoinHandle<[bool; MAILS]> {
        let it = self.clone();
        spawn(move || {
            let mut taken = [false; MAILS];
            for _ in 0..times {
                it.flags.read();
                for (taken, mail) in taken.iter_mut().zip(&*it.mails) {
                    *taken |= mail.load(Ordering::Relaxed);
                }
            }
            taken
        })
    }

    /// Who looks, when told to.
    fn look(&self) {
        if self.told.swap(false, Ordering::AcqRel) && self.flags.look() {
            self.told.swap(true, Ordering::AcqRel);
        }
    }

    /// Mail that is left is looked after, and who looks finds it.
    fn at_rest(&self, taken: [bool; MAILS]) {
        if taken.contains(&false) {
            assert!(self.told.load(Ordering::Acquire), "somebody is to look");
            assert!(self.flags.look(), "and finds it");
        }
    }
}

fn is_looked_after(preemptions: usize, senders: &'static [&'static [usize]]) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.max_branches = 100_000;
    model.check(|| {
        let it = Letterbox::default();
        let senders: Vec<_> = senders.iter().map(|mails| it.sends(mails)).collect();
        let dispatcher = it.reads(2);
        it.look();
        senders.into_iter().for_each(|sender| sender.join().expect("it sends"));
        it.at_rest(dispatcher.join().expect("it reads"));
    });
}

#[test]
fn c03_mail_that_nobody_takes_in_is_looked_after() {
    is_looked_after(3, &[&[0, 1]]);
}

#[test]
fn c03_mail_of_two_is_looked_after() {
    is_looked_after(1, &[&[0], &[1]]);
}
