//! Tables: printed, and written into the README between two markers.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use plux::BoxError;

use crate::machine;

/// A table in the making.
pub struct Table {
    name: &'static str,
    text: String,
}

impl Table {
    /// A table of the README: the bench that writes it, and its columns.
    pub fn new(name: &'static str, columns: &[&str]) -> Self {
        let mut table = Self { name, text: String::new() };
        table.row(columns.iter().copied());
        let rule = columns.iter().map(|_| "---");
        table.row(rule);
        table
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        self.text.push('|');
        for cell in cells {
            // Writing into a string can not fail.
            let _ = write!(self.text, " {} |", cell.as_ref());
        }
        self.text.push('\n');
    }

    /// Prints the table, and writes it into the README if `keep`.
    ///
    /// # Errors
    /// The README can not be written, or has no such marker.
    pub fn end(self, keep: bool) -> Result<(), BoxError> {
        let machine = machine::describe();
        let name = self.name;
        let peers = if cfg!(feature = "peers") { " --features peers" } else { "" };
        let command = format!("cargo bench -p plux-benches{peers} --bench {name}");
        let text = format!("`{command}`, {machine}\n\n{}", self.text);
        println!("{text}");
        if keep {
            let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
            let before = std::fs::read_to_string(&readme)?;
            let after = put(&before, name, &text)
                .ok_or_else(|| format!("the README has no markers for {name}"))?;
            std::fs::write(&readme, after)?;
        }
        Ok(())
    }
}

/// `page` with `text` between the markers of `name`.
fn put(page: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name}: begin -->"), format!("<!-- {name}: end -->"));
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{text}{end}{after}"))
}

/// A time in three digits and the unit that suits it.
pub fn time(time: Duration) -> String {
    let nanos = time.as_nanos() as f64;
    let (value, unit) = match nanos {
        n if n < 1e3 => (n, "ns"),
        n if n < 1e6 => (n / 1e3, "µs"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    let digits = if unit == "ns" || value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$} {unit}")
}

/// A ratio in two decimals, or in four if it is small.
pub fn ratio(ratio: f64) -> String {
    if ratio < 0.1 { format!("{ratio:.4}") } else { format!("{ratio:.2}") }
}

/// A whole number with its thousands apart.
pub fn count(number: impl TryInto<i64>) -> String {
    let Ok(number) = number.try_into() else { return "too many".to_owned() };
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_its_own_markers_is_replaced() {
        let page = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb <!-- y: begin --><!-- y: end -->";
        let after = put(page, "x", "new\n").unwrap();
        let expected =
            "a\n<!-- x: begin -->\nnew\n<!-- x: end -->\nb <!-- y: begin --><!-- y: end -->";
        assert_eq!(after, expected);
        assert_eq!(put(page, "z", "new"), None);
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(-100), "-100");
        assert_eq!(ratio(1.0 / 85.0), "0.0118");
        assert_eq!(time(Duration::from_nanos(740)), "740 ns");
        assert_eq!(time(Duration::from_nanos(12_340)), "12.3 µs");
        assert_eq!(time(Duration::from_millis(1_500)), "1.50 s");
    }
}
