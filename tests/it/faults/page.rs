//! The table in the docs. `PLUX_WRITE=1 cargo test -p plux-tests --test it docs` writes it anew.

use std::fmt::Write as _;
use std::path::Path;

use super::curse::{Fault, Seam};
use super::play::{Call, DELAY, GRACE, JOIN, START, WATCHDOG};
use super::rows::ROWS;
use super::table::{ABSENT, Row};

fn call(call: Call) -> &'static str {
    match call {
        Call::Nobody => "nobody",
        Call::StartTop => "`start(top)`",
        Call::RestartX => "`restart(x)`",
        Call::StopX => "`stop(x)`",
        Call::WaitX => "`wait(x)`",
        Call::Drop => "the thread that drops the supervisor",
    }
}

fn times(parts: &[u32]) -> String {
    let named = |part: &u32| match *part {
        DELAY => "backoff",
        GRACE => "grace",
        JOIN => "join",
        WATCHDOG => "watchdog",
        START => "start",
        other => panic!("{other} has no name"),
    };
    if parts.is_empty() {
        return "at once".into();
    }
    parts.iter().map(named).collect::<Vec<_>>().join(" + ")
}

fn line(row: &Row) -> String {
    let told = match row.call {
        Call::Nobody => "nobody".to_owned(),
        Call::Drop => format!("{} {}", call(row.call), row.told),
        _ => format!("{}: {}; {}", call(row.call), row.told, times(row.after)),
    };
    let Row { fault, x, top, report, ends, .. } = row;
    format!("| {} | {told} | {x} | {top} | {report}; {} |", fault.text(), times(ends))
}

fn tables() -> String {
    let mut text = String::new();
    for seam in Seam::ALL {
        let _ = write!(text, "\n### {}\n\n", capital(seam.text()));
        text += "| fault | who calls is told | `x` | `top` | the report of `x` |\n|---|---|---|---|---|\n";
        for fault in Fault::ALL {
            let row = ROWS.iter().find(|row| (row.seam, row.fault) == (seam, fault));
            let absent =
                ABSENT.iter().find(|cell| cell.seam == seam && cell.faults.contains(&fault));
            let _ = match (row, absent) {
                (Some(row), _) => writeln!(text, "{}", line(row)),
                (None, Some(cell)) => {
                    writeln!(text, "| {} | none: {} | | | |", fault.text(), cell.why)
                }
                (None, None) => panic!("{seam:?} {fault:?}"),
            };
        }
    }
    text + "\n"
}

fn capital(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

#[test]
fn x06_the_faults_of_the_docs_are_those_that_are_played() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/faults.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- faults: begin -->\n", "<!-- faults: end -->");
    let (head, rest) = page.split_once(begin).expect("the tables have their place");
    let (old, tail) = rest.split_once(end).expect("the tables have their end");
    let new = tables();
    if std::env::var_os("PLUX_WRITE").is_some() {
        std::fs::write(&path, format!("{head}{begin}{new}{end}{tail}")).unwrap();
    } else {
        assert_eq!(old, new, "PLUX_WRITE=1 cargo test -p plux-tests --test it docs");
    }
}
