//! The log: to stderr, because stdout is for data.
//!
//! The trap: s3s logs every answer of 400 and above as an error of its own. Those lines are left
//! out unless RUST_LOG asks for s3s.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::arguments::LogFormat;

/// Where s3s logs what clients did wrong.
const QUIET: [&str; 2] = ["s3s::ops=off", "s3s::service=off"];

/// Begins to log. Does nothing when there is a log already.
pub fn start(format: LogFormat) {
    let wanted = std::env::var("RUST_LOG").unwrap_or_default();
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    let mut filter = filter.parse_lossy(&wanted);
    if !wanted.contains("s3s") {
        for directive in QUIET.iter().filter_map(|text| text.parse().ok()) {
            filter = filter.add_directive(directive);
        }
    }
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        // It would complain of a broken stderr on that stderr, and panic.
        .log_internal_errors(false);
    // An error means that the program which embeds this one logs already.
    let _ = match format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    };
}
