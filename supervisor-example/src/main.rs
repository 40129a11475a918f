//! The command: `serve` and `list`.
//!
//! The trap: the services are started before the signals are listened for only if `serve` is slow
//! to get there; `plux::main` listens from the beginning.

use std::io::{self, ErrorKind, Write};
use std::process::{ExitCode, Termination};

use clap::Parser;
use plux::BoxError;
use supervisor_example::arguments::{Arguments, Command, Format, Serve, UnknownService};
use supervisor_example::{Cloud, Host, list, logging};

/// The configuration is wrong (`EX_CONFIG`).
const BAD_CONFIGURATION: u8 = 78;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.command {
        Command::Serve(serve) => plux::main(async move { run(&serve).await }),
        Command::List { format } => end(print_list(format)),
    }
}
