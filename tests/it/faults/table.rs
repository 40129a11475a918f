//! The table: for every seam and every fault what comes of it, or why it can not be.
//!
//! Trap: what a row expects is compared with what is seen, so a row can not be wrong; that none is missing
//! is a test of its own.

use super::curse::{Fault, Seam};
use super::play::{self, Call, Seen, Took};
use super::rows::ROWS;

/// What is to come of one fault at one seam.
pub(super) struct Row {
    pub(super) seam: Seam,
    pub(super) fault: Fault,
    pub(super) call: Call,
    pub(super) told: &'static str,
    /// After which of the times the caller is told.
    pub(super) after: &'static [u32],
    pub(super) x: &'static str,
    pub(super) top: &'static str,
    pub(super) report: &'static str,
    /// After which of the times the shutdown ends.
    pub(super) ends: &'static [u32],
}

/// A fault that can not be there.
pub(super) struct Absent {
    pub(super) seam: Seam,
    pub(super) faults: &'static [Fault],
    pub(super) why: &'static str,
}

pub(super) const ABSENT: &[Absent] = &[
    Absent { seam: Seam::FilterOfSpec, faults: &[Fault::Pending], why: "a filter is not async" },
    Absent { seam: Seam::Factory, faults: &[Fault::Pending], why: "a factory is not async" },
    Absent { seam: Seam::FilterOfPlugin, faults: &[Fault::Pending], why: "a filter is not async" },
    Absent { seam: Seam::Task, faults: &[Fault::Error], why: "a task yields nothing" },
    Absent {
        seam: Seam::Health,
        faults: &[Fault::Panic, Fault::Pending, Fault::Blocked],
        why: "a report is a value: it runs no code of the user's",
    },
    Absent { seam: Seam::Health, faults: &[Fault::CallerGone], why: "a report waits for nothing" },
    Absent {
        seam: Seam::Heartbeat,
        faults: &[Fault::Error, Fault::Panic],
        why: "a heartbeat says nothing and runs no code of the user's",
    },
    Absent {
        seam: Seam::Heartbeat,
        faults: &[Fault::CallerGone],
        why: "a heartbeat waits for nothing",
    },
    Absent { seam: Seam::Status, faults: &[Fault::Error], why: "a text is all that it can be" },
    Absent {
        seam: Seam::Status,
        faults: &[Fault::Pending, Fault::CallerGone],
        why: "a text is made without waiting",
    },
    Absent {
        seam: Seam::ErrorText,
        faults: &[Fault::Pending, Fault::CallerGone],
        why: "a text is made without waiting, and no call of the supervisor's makes it",
    },
    Absent { seam: Seam::Listener, faults: &[Fault::Error], why: "a listener returns nothing" },
    Absent { seam: Seam::Listener, faults: &[Fault::Pending], why: "a listener is not async" },
    Absent {
        seam: Seam::RunDestructor,
        faults: &[Fault::Error, Fault::Pending],
        why: "a destructor returns nothing and is not async",
    },
    Absent {
        seam: Seam::PublishedDestructor,
        faults: &[Fault::Error, Fault::Pending],
        why: "a destructor returns nothing and is not async",
    },
    Absent {
        seam: Seam::ErrorDestructor,
        faults: &[Fault::Error, Fault::Pending],
        why: "a destructor returns nothing and is not async",
    },
    Absent {
        seam: Seam::ServiceDestructor,
        faults: &[Fault::Error, Fault::Pending],
        why: "a destructor returns nothing and is not async",
    },
    Absent {
        seam: Seam::ServiceDestructor,
        faults: &[Fault::CallerGone],
        why: "it runs when the supervisor is gone, and its calls with it",
    },
    Absent {
        seam: Seam::ContextDestructor,
        faults: &[Fault::Error, Fault::Pending],
        why: "a destructor returns nothing and is not async",
    },
    Absent {
        seam: Seam::ContextDestructor,
        faults: &[Fault::CallerGone],
        why: "it runs when the supervisor is gone, and its calls with it",
    },
];

fn row(seam: Seam, fault: Fault) -> &'static Row {
    ROWS.iter().find(|row| (row.seam, row.fault) == (seam, fault)).expect("its test is its row")
}

/// Plays the row. A machine that has too much to do is late now and then; what is late each time is so for
/// another reason.
pub(super) fn check(seam: Seam, fault: Fault) {
    let row = row(seam, fault);
    let at = format!("{}, {}", seam.text(), fault.text());
    let mut late = Vec::new();
    while late.len() < 5 {
        let (seen, took) = play::play(seam, fault, row.call);
        let expected = Seen {
            told: row.told.into(),
            x: row.x.into(),
            top: row.top.into(),
            report: row.report.into(),
        };
        match in_time(took, row, &at) {
            Ok(()) => return assert_eq!(seen, expected, "{at}"),
            // Late, it may be something else that is seen.
            Err(why) => late.push((why, seen)),
        }
    }
    panic!("{late:#?}");
}

/// Nothing may come before its time; what has come after it is said.
fn in_time(took: Took, row: &Row, at: &str) -> Result<(), String> {
    let Took { call, shutdown, others, slack } = took;
    if others > 1.0 {
        return Err(format!("{at}: others had to wait {others:.2} of what they may"));
    }
    for (what, took, parts) in [("the call", call, row.after), ("the shutdown", shutdown, row.ends)]
    {
        let due = f64::from(parts.iter().sum::<u32>());
        let says = format!("{at}: {what} took {took:.2} and is due after {due}");
        // The time may have begun a little before the call, on a clock that goes on.
        assert!(took >= due - slack.min(1.0), "{says}");
        if took > due + slack {
            return Err(says);
        }
    }
    Ok(())
}

#[test]
fn x06_no_fault_at_any_seam_is_left_out() {
    for seam in Seam::ALL {
        for fault in Fault::ALL {
            let rows = ROWS.iter().filter(|row| (row.seam, row.fault) == (seam, fault)).count();
            let absent = |cell: &&Absent| cell.seam == seam && cell.faults.contains(&fault);
            let told = rows + ABSENT.iter().filter(absent).count();
            assert_eq!(told, 1, "{}, {}", seam.text(), fault.text());
        }
    }
}
