//! For tests. With the feature `test-util`.
//!
//! | for the test of | there is |
//! |---|---|
//! | one service | [`ServiceTest`]: stand-ins for what it depends on, and a [`Finding`] that says what is wrong |
//! | a host | [`Probe`]: a plugin and its service that follow a script of [`Step`]s |
//! | what happens, and when | [`Recorder`]: one list of what is told and what is true, and assertions about it |
//! | a whole run, by another program | [`RecordedRun`] and its [`Trace`]: data, and JSON lines |
//!
//! All of it is meant for tokio's paused clock, `#[tokio::test(start_paused = true)]`. The project's
//! `docs/testing.md` is a guide, and `docs/trace.md` describes the JSON lines.

mod words;

mod step;

mod script;

mod record;

mod recorder;

mod order;

mod scripted;

mod player;

mod probe;

mod trace;

mod json;

mod answer;

mod run;

mod finding;

mod in_drop;

mod watched;

mod stand_in;

mod subject;

mod trial;

mod service_test;

pub use finding::Finding;
pub use json::ReadError;
pub use order::{States, Violation};
pub use probe::Probe;
pub use record::{Entry, Fact, Reply};
pub use recorder::Recorder;
pub use run::RecordedRun;
pub use script::When;
pub use scripted::{Published, Scripted};
pub use service_test::ServiceTest;
pub use step::{Call, Seam, Step};
pub use trace::{Config, EdgeConfig, Line, Says, ServiceConfig, Trace};
pub use trial::Trial;
pub use words::{
    Answer, Command, EdgeKind, EdgeReaction, Grace, Moved, Outcome, Policy, Reason, WhenSpent,
};
