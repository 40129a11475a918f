//! Random schedules: services, scripts and commands from a seed, played through plux's public API on a
//! paused clock, and the run that was recorded judged by an independent reading of the promises.
//!
//! ```text
//! seed ─► Case ─► play ─► Run ─► check
//!           ▲                      │
//!           └────── smallest ◄─────┘
//! ```

mod actor;
mod case;
mod check;
mod coming;
mod commands;
mod dice;
mod facts;
mod graphs;
mod kept;
mod leaking;
mod more;
mod nested;
mod play;
mod print;
mod rare;
mod run;
mod smaller;
mod there;

pub use case::{Asks, Call, Case, Edge, End, Inner, Inside, OnStop, Script, Service, Sizes, Task};
pub use check::{Illegal, check, faults};
pub use dice::Dice;
pub use play::play;
pub use run::{
    Answer, Budget, Cause, Command, GiveUp, Kind, Line, Outcome, Policy, Problems, Reaction, Row,
    Run, Setup, State, Tie, What, Why, Within,
};
pub use smaller::{smallest, smallest_by};
