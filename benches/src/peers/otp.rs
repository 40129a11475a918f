//! Services as processes under Erlang/OTP's supervisor, in a process of the system's for each figure.

use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use plux::BoxError;

use crate::rounds::Timed;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/otp_figures.escript");

/// Whether `escript` can be run here.
pub fn installed() -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(|| {
        // Without a script it answers with how it is used.
        Command::new("escript").output().is_ok()
    })
}

/// What the script says of this, with so many: nanoseconds, or bytes for each.
///
/// # Errors
/// It can not be run, or says something else.
pub fn figure(what: &str, size: usize) -> Result<f64, BoxError> {
    let output = Command::new("escript").args([SCRIPT, what, &size.to_string()]).output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.trim().parse().map_err(|_| format!("{SCRIPT} {what} {size}: {text:?}"))?)
}

/// The same as a time.
pub fn time(what: &'static str, size: usize) -> Timed {
    Box::pin(async move { Ok(Duration::from_nanos(figure(what, size)? as u64)) })
}
