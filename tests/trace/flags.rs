//! What the command is told.

use schedules::Sizes;

const USAGE: &str =
    "usage: trace [--seed N] [--services N] [--commands N] [--faults N] [--out FILE]";

pub(crate) struct Flags {
    pub(crate) seed: u64,
    pub(crate) services: usize,
    pub(crate) commands: usize,
    pub(crate) faults: usize,
    /// Standard output, unless there is one.
    pub(crate) out: Option<String>,
}

impl Flags {
    pub(crate) fn of(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut flags = Self { seed: 0, services: 10, commands: 30, faults: 5, out: None };
        while let Some(flag) = words.next() {
            let value = words.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
            let number = || {
                let wrong = |error| format!("{flag} {value}: {error}\n{USAGE}");
                value.parse::<usize>().map_err(wrong)
            };
            match flag.as_str() {
                "--seed" => flags.seed = number()? as u64,
                "--services" => flags.services = number()?,
                "--commands" => flags.commands = number()?,
                "--faults" => flags.faults = number()?,
                "--out" => flags.out = Some(value),
                _ => return Err(format!("no flag {flag}\n{USAGE}")),
            }
        }
        if flags.services == 0 {
            return Err(format!("a run has a service at least\n{USAGE}"));
        }
        Ok(flags)
    }

    pub(crate) fn sizes(&self) -> Sizes {
        let Self { services, commands, faults, .. } = *self;
        Sizes { services, commands, faults }
    }
}
