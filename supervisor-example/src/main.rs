//! The command: `serve` and `list`.
//!
//! The trap: a signal that comes while services start has to be heard, so waiting for it begins
//! before the first start.

use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::process::{ExitCode, Termination};

use clap::Parser;
use futures::future::join;
use plux::{BoxError, StartError, Supervisor};
use supervisor_example::arguments::{Arguments, Command, Format, LogFormat, Serve};
use supervisor_example::{Cloud, Host, Settings, list, logging};

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(arguments) => plux::main(async move {
            logging::start(arguments.log_format);
            serve(&arguments).await.unwrap_or_else(|error| match arguments.log_format {
                LogFormat::Text => failed(&error),
                LogFormat::Json => {
                    tracing::error!("{error}");
                    ExitCode::FAILURE
                }
            })
        }),
        Command::List { format } => match print_list(format) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        },
    }
}

/// Serves until a signal, or until the gateway or the data directory turn out not to be usable.
async fn serve(arguments: &Serve) -> Result<ExitCode, BoxError> {
    let host = Host::new(&Cloud::new(arguments.settings()));
    let supervisor = host.supervisor(arguments.grace_period)?;
    let (report, begun) = join(supervisor.run_until_signal(), begin(&supervisor, arguments)).await;
    let report = report?;
    tracing::info!("{}", report.to_string().replace('\n', "; "));
    begun?;
    Ok(report.report())
}

/// Starts what is needed before the first request; without it there is nothing to wait for.
async fn begin(supervisor: &Supervisor, arguments: &Serve) -> Result<(), StartError> {
    for name in ["storage", "gateway"] {
        match supervisor.start(name).await {
            Ok(_) => {}
            Err(StartError::Shutdown { .. } | StartError::Stopped { .. }) => return Ok(()),
            Err(error) => {
                supervisor.request_shutdown();
                return Err(error);
            }
        }
    }
    let gateway = supervisor.handle::<SocketAddr>("gateway");
    if let Ok(address) = gateway.and_then(|gateway| gateway.get()) {
        // Nobody may be reading, and that is no reason not to serve.
        let _ = writeln!(io::stdout(), "{address}");
    }
    if arguments.eager {
        // What failed is in the log and in the health; the others serve.
        supervisor.start_all().await;
    }
    Ok(())
}

/// Prints the plugins. Whoever has read enough may close the pipe.
fn print_list(format: Format) -> Result<(), BoxError> {
    let specs = Host::new(&Cloud::new(Settings::default())).specs()?;
    let mut out = io::stdout().lock();
    match list::print(&mut out, &specs, format).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn failed(error: &BoxError) -> ExitCode {
    // Nobody may be reading, and then there is nobody to tell.
    let _ = writeln!(io::stderr(), "supervisor-example: {error}");
    ExitCode::FAILURE
}
