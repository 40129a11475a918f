//! The arguments that every bench takes.

use plux::BoxError;

/// What a run was asked to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// A few rounds, and no size above 10,000; the README stays as it is.
    pub short: bool,
    /// A missed gate is a failure.
    pub check: bool,
    /// Where the order of the rounds begins.
    pub seed: u64,
    /// For a run inside another tool: what to do, and with how many.
    pub run: Option<(String, usize)>,
}

impl Options {
    /// Reads the command line. `cargo bench` adds a `--bench` of its own, which says nothing.
    ///
    /// # Errors
    /// An argument that is not known, or has no value.
    pub fn read() -> Result<Self, BoxError> {
        let mut options = Self { short: false, check: false, seed: 1, run: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--bench" => {}
                "--short" => options.short = true,
                "--check" => options.check = true,
                "--seed" => options.seed = value()?.parse()?,
                "--run" => options.run = Some((value()?, value()?.parse()?)),
                _ => return Err(format!("{argument}: use --short, --check, --seed N").into()),
            }
        }
        Ok(options)
    }

    /// `sizes`, without the largest in a short run.
    pub fn sizes<'a>(&self, sizes: &'a [usize]) -> &'a [usize] {
        let largest = if self.short { 10_000 } else { usize::MAX };
        let count = sizes.iter().filter(|size| **size <= largest).count();
        &sizes[..count]
    }
}
