//! Python's plux, which inspired this one, on the same plugins. A timing: it fails nothing.
//!
//! `PLUX_PYTHON` names the interpreter that has it, otherwise it is `python3`. Without it there is
//! nothing to compare with: the table that is printed says so, and the README stays as it is.

use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use futures::FutureExt;
use plux::BoxError;
use plux_benches::{
    Goal, Group, Row, Sleeping, Specs, Table, Timed, compare, custom, manager, specs, work,
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/load_all.py");

/// How long those take that take something.
const MILLIS: u64 = 10;

const GROUPS: &[Group] = &[
    Group {
        sizes: &[100, 1_000, 10_000],
        rows: &[
            Row::new("Python plux, plugins that do nothing", |size| python(size, 0)),
            Row::new("`load_all`, plugins that do nothing", |size| {
                work::load_all(size, manager(specs(size))).boxed()
            })
            .with_goal(|_| Goal::Ratio(1.0 / 25.0)),
        ],
        rounds: |_| 21,
    },
    Group {
        sizes: &[100],
        rows: &[
            Row::new("Python plux, plugins that take 10 ms", |size| python(size, MILLIS)),
            Row::new("`load_all`, plugins that take 10 ms", |size| {
                work::load_all(size, manager(sleeping(size))).boxed()
            })
            .with_goal(|_| Goal::Ratio(1.0 / 85.0)),
        ],
        rounds: |_| 5,
    },
];

fn main() -> Result<(), BoxError> {
    let mut asked = interpreter();
    asked.args(["-c", "from plux import PluginManager"]).stderr(Stdio::null());
    if asked.status().is_ok_and(|status| status.success()) {
        return compare("python", "plugins", "G4", GROUPS);
    }
    let mut table = Table::new("python", &["way", "median"]);
    table.row(["Python plux", "not installed"]);
    // The page keeps what was measured where it is.
    table.end(false)?;
    println!("0 passed, 0 failed, 1 skipped");
    Ok(())
}

fn interpreter() -> Command {
    Command::new(std::env::var_os("PLUX_PYTHON").unwrap_or("python3".into()))
}

fn python(size: usize, millis: u64) -> Timed {
    async move {
        let arguments = [SCRIPT, &size.to_string(), &millis.to_string()];
        let output = interpreter().args(arguments).output()?;
        let nanos = String::from_utf8(output.stdout)?;
        let nanos = nanos.trim().parse().map_err(|_| String::from_utf8_lossy(&output.stderr))?;
        Ok(Duration::from_nanos(nanos))
    }
    .boxed()
}

fn sleeping(count: usize) -> Specs {
    static SPECS: OnceLock<Specs> = OnceLock::new();
    let time = Duration::from_millis(MILLIS);
    &SPECS.get_or_init(|| custom(100, move |_| Sleeping(time), |_| Vec::new()))[..count]
}
