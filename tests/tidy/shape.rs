//! The shape of files: how long they are and how they open.

use std::io;

use crate::{none, tree};

/// Past this a file is two ideas.
const MOST_LINES: usize = 500;
/// An example shows one idea.
const MOST_EXAMPLE_LINES: usize = 70;

#[test]
fn a_file_is_short_and_opens_with_its_job() -> io::Result<()> {
    let mut problems = Vec::new();
    for file in tree::rust()? {
        let lines = file.text.lines().count();
        let example = file.path.starts_with("plux/examples/");
        let most = if example { MOST_EXAMPLE_LINES } else { MOST_LINES };
        if lines > most {
            problems.push(format!("{}: {lines} lines, at most {most}", file.path));
        }
        if !file.text.starts_with("//! ") {
            problems.push(format!("{}: does not open with `//!` and its job", file.path));
        }
    }
    none(&problems);
    Ok(())
}

/// The README's code that stands in files is read from it by people, and run from the files.
#[test]
fn the_readme_shows_the_files_that_are_run() -> io::Result<()> {
    let readme = tree::read("README.md")?;
    let shown: Vec<_> =
        readme.split("\n```rs\n").skip(1).map(|rest| rest.split("```").next()).collect();
    let files = tree::files("tests/readme", &[".rs"])?;
    let mut problems = Vec::new();
    for file in &files {
        if !shown.contains(&Some(file.text.as_str())) {
            problems.push(format!("README.md does not show {} as it is", file.path));
        }
    }
    if shown.len() != files.len() {
        problems.push("README.md shows code that is no file of tests/readme".to_owned());
    }
    none(&problems);
    Ok(())
}

#[test]
fn no_file_knows_a_machine() -> io::Result<()> {
    // Put together here, so that this file does not hold them.
    let roots = ["home", "root", "work", "Users"].map(|name| format!("/{name}/"));
    let mut problems = Vec::new();
    let mut files = tree::files("", &[".rs", ".md", ".toml", ".sh", ".py", ".stderr"])?;
    files.extend(tree::files(".ci", &[""])?);
    for file in files {
        for (at, line) in file.text.lines().enumerate() {
            for root in roots.iter().filter(|root| names_path(line, root)) {
                problems.push(format!("{}:{}: a path of one machine: {root}", file.path, at + 1));
            }
        }
    }
    none(&problems);
    Ok(())
}

/// Whether `root` stands in `line` as the beginning of a path, not in the middle of one.
fn names_path(line: &str, root: &str) -> bool {
    line.match_indices(root).any(|(at, _)| {
        !line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '}' | '~' | '-'))
    })
}
