//! The table of defaults in docs/semantics.md against the builders that have them.

use std::collections::BTreeSet;
use std::io;

use plux::{FnService, PluginManager, Supervisor};

use crate::{none, tree};

/// What a builder says of itself and that is no limit.
const OTHERS: [&str; 5] = ["namespace", "filters", "managers", "services", "groups"];

/// The rows: builder, method, default.
fn rows() -> io::Result<Vec<(String, String, String)>> {
    let page = tree::read("docs/semantics.md")?;
    let section = page.split("\n## Limits and defaults\n").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let row = |line: &str| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, _, _, method, default, _] = cells[..] else { return None };
        let (builder, method) = method.trim_matches('`').split_once("::")?;
        Some((builder.to_owned(), method.to_owned(), default.to_owned()))
    };
    Ok(section.lines().filter_map(row).collect())
}

/// What a builder is made of before anything is set: `Name { field: value, … }`.
fn fields(text: &str) -> Vec<(String, String)> {
    let inner = text.split_once(" { ").map_or("", |(_, inner)| inner);
    let field = |part: &str| {
        let (name, value) = part.split_once(": ")?;
        Some((name.to_owned(), value.to_owned()))
    };
    inner.split(", ").filter_map(field).collect()
}

/// A default as the table writes it.
fn written(value: &str) -> String {
    let within = |prefix| value.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(')'));
    let plain = within("Bounded(").or_else(|| within("Some(")).unwrap_or(value);
    let mut text = String::new();
    for letter in plain.chars() {
        // Between a number and its unit.
        if letter.is_alphabetic() && text.ends_with(|last: char| last.is_ascii_digit()) {
            text.push(' ');
        }
        text.push(letter);
    }
    if text == "None" { "none".to_owned() } else { text }
}

#[test]
fn every_default_stands_in_the_table_and_is_the_codes() -> io::Result<()> {
    let builders = [
        format!("{:?}", PluginManager::<dyn FnService>::builder(())),
        format!("{:?}", Supervisor::builder()),
    ];
    let mut code = BTreeSet::new();
    for text in &builders {
        let builder = text.split(' ').next().unwrap_or_default();
        let limits = fields(text).into_iter().filter(|(name, _)| !OTHERS.contains(&&**name));
        code.extend(limits.map(|(name, value)| (builder.to_owned(), name, written(&value))));
    }
    let table: BTreeSet<_> = rows()?.into_iter().collect();
    let missing = code.difference(&table).map(|row| format!("the table lacks {row:?}"));
    let wrong = table.difference(&code).map(|row| format!("the code does not say {row:?}"));
    none(&missing.chain(wrong).collect::<Vec<_>>());
    assert!(table.len() >= 8);
    Ok(())
}
