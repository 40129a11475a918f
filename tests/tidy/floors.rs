//! The floors of plux/src: the table stands in ARCHITECTURE.md, and every import goes down in it.
//!
//! Trap: `pub use child::X` in a `mod.rs` needs no `crate::` and is not seen here; a `mod.rs`
//! stands last in its folder, so it may take from every file of it anyway.

use std::collections::BTreeMap;
use std::io;

use crate::tokens::{Token, tokens};
use crate::{none, tree};

const SOURCES: &str = "plux/src";

/// Where a file stands: its floor, and its row, which counts inside a folder.
#[derive(Clone, Copy)]
struct Place {
    floor: u32,
    row: usize,
}

/// The rows `| F3 | `file.rs` | … |` of ARCHITECTURE.md.
fn table() -> io::Result<BTreeMap<String, Place>> {
    let mut places = BTreeMap::new();
    let mut problems = Vec::new();
    for (row, line) in tree::read("ARCHITECTURE.md")?.lines().enumerate() {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (Some(floor), Some(file)) = (cells.next(), cells.next()) else { continue };
        let Some(floor) = floor.strip_prefix('F').and_then(|floor| floor.parse().ok()) else {
            continue;
        };
        let file = file.trim_matches('`').to_owned();
        if places.insert(file, Place { floor, row }).is_some() {
            problems.push(format!("ARCHITECTURE.md:{}: a second row for this file", row + 1));
        }
    }
    none(&problems);
    assert!(!places.is_empty(), "ARCHITECTURE.md has no floor table");
    Ok(places)
}

/// The module path of a file: `a/b.rs` is `a::b`, `a/mod.rs` is `a`, `lib.rs` is empty.
fn module(file: &str) -> Vec<&str> {
    let path = file.strip_suffix(".rs").unwrap_or(file);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { Vec::new() } else { path.split('/').collect() }
}

/// The folder right below `src`; its files may take from one another, downwards in the table.
fn folder(file: &str) -> Option<&str> {
    file.split_once('/').map(|(folder, _)| folder)
}

#[test]
fn the_table_names_every_file_and_no_other() -> io::Result<()> {
    let table = table()?;
    let files = tree::files(SOURCES, &[".rs"])?;
    let names: Vec<_> = files.iter().filter_map(|f| f.path.strip_prefix("plux/src/")).collect();
    let missing = names.iter().filter(|name| !table.contains_key(**name));
    let gone = table.keys().filter(|row| !names.contains(&row.as_str()));
    let problems: Vec<_> = missing
        .map(|name| format!("plux/src/{name} has no row in the table of ARCHITECTURE.md"))
        .chain(gone.map(|row| format!("ARCHITECTURE.md has a row for {row}, which is not there")))
        .collect();
    none(&problems);
    Ok(())
}

#[test]
fn imports_go_down() -> io::Result<()> {
    let table = table()?;
    let files: BTreeMap<_, _> = table.keys().map(|file| (module(file), file.as_str())).collect();
    let mut problems = Vec::new();
    for file in tree::files(SOURCES, &[".rs"])? {
        let name = file.path.trim_start_matches("plux/src/");
        let Some(here) = table.get(name) else { continue };
        for (path, line) in imports(&tokens(&file.text), &module(name)) {
            let known = (0..=path.len()).rev().find_map(|length| files.get(&path[..length]));
            let Some(target) = known.filter(|target| **target != name) else { continue };
            let there = table[*target];
            let siblings = folder(name).is_some() && folder(name) == folder(target);
            let down = there.floor < here.floor || (siblings && there.row < here.row);
            if !down {
                problems.push(format!(
                    "{}:{line}: takes crate::{} from {target} (F{}), and stands on F{}",
                    file.path,
                    path.join("::"),
                    there.floor,
                    here.floor,
                ));
            }
        }
    }
    none(&problems);
    Ok(())
}

/// Every path that begins with `crate`, `super` or `self`, from the crate's root, with its line.
fn imports<'a>(tokens: &[Token<'a>], module: &[&'a str]) -> Vec<(Vec<&'a str>, usize)> {
    let mut found = Vec::new();
    // Inline modules, each with the depth of braces at which it ends.
    let mut inline: Vec<(&str, usize)> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while at < tokens.len() {
        let token = tokens[at];
        match token.word() {
            Some("mod") if tokens.get(at + 2).is_some_and(|open| open.is('{')) => {
                if let Some(name) = tokens[at + 1].word() {
                    inline.push((name, depth));
                }
            }
            Some("crate" | "super" | "self")
                if joined(tokens, at + 1) && !after_dollar(tokens, at) =>
            {
                let mut base = module.to_vec();
                base.extend(inline.iter().map(|(name, _)| *name));
                walk(tokens, &mut at, base, &mut found);
                continue;
            }
            _ if token.is('{') => depth += 1,
            _ if token.is('}') => {
                depth -= 1;
                inline.retain(|(_, opened)| *opened < depth);
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn after_dollar(tokens: &[Token<'_>], at: usize) -> bool {
    at > 0 && tokens[at - 1].is('$')
}

/// Whether `::` stands at `at`.
fn joined(tokens: &[Token<'_>], at: usize) -> bool {
    tokens.get(at..at + 2).is_some_and(|pair| pair.iter().all(|token| token.is(':')))
}

/// Follows one path from `at`, into its groups; leaves `at` behind it.
fn walk<'a>(
    tokens: &[Token<'a>],
    at: &mut usize,
    mut base: Vec<&'a str>,
    found: &mut Vec<(Vec<&'a str>, usize)>,
) {
    let line = tokens[*at].line;
    while let Some(token) = tokens.get(*at) {
        match token.word() {
            Some("crate") => base.clear(),
            Some("self") => {}
            Some("super") => drop(base.pop()),
            Some(word) => base.push(word),
            None if token.is('{') => {
                *at += 1;
                while tokens.get(*at).is_some_and(|token| !token.is('}')) {
                    if tokens[*at].word() == Some("as") {
                        *at += 2;
                    } else if tokens[*at].word().is_some() {
                        walk(tokens, at, base.clone(), found);
                    } else {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            None => break,
        }
        *at += 1;
        if !joined(tokens, *at) {
            break;
        }
        *at += 2;
    }
    found.push((base, line));
}

#[test]
fn a_path_is_followed_through_groups_and_inline_modules() {
    let text = "use crate::{a::{B, c}, d as e}; fn f(x: super::G) { $crate::h() }
        mod tests { use super::*; use super::super::i; } self::j();";
    let found = imports(&tokens(text), &["m", "n"]);
    let paths: Vec<_> = found.iter().map(|(path, _)| path.join("::")).collect();
    assert_eq!(paths, ["a::B", "a::c", "d", "m::G", "m::n", "m::i", "m::n::j"]);
}
