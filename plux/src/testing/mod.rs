//! For tests: plugins and services that do what a script says, a recorder with assertions about order,
//! and recorded runs as JSON lines. With the feature `test-util`.

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
