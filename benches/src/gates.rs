//! Gates: exact counts with a limit. Times have none, because they tell of the machine too.

use std::process::ExitCode;

/// What was held against its limit.
pub struct Gates {
    passed: u32,
    failed: u32,
    check: bool,
}

impl Gates {
    /// None yet; with `check` a missed one fails the run.
    pub fn new(check: bool) -> Self {
        Self { passed: 0, failed: 0, check }
    }

    /// Holds `value` against `limit` and says how it went, for a cell of a table.
    pub fn at_most(&mut self, value: f64, limit: f64) -> &'static str {
        if value <= limit {
            self.passed += 1;
            "met"
        } else {
            self.failed += 1;
            "**missed**"
        }
    }

    /// The closing line, and the exit status.
    #[must_use]
    pub fn end(self) -> ExitCode {
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.check && self.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}
