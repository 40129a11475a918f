//! docs/semantics.md against the tests: a promised number names tests that exist, and a test whose
//! name carries a number stands there under it. Other pages name only tests that are there.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::tokens::{Token, begins, tokens};
use crate::{none, tree};

/// Every number there is: the letter and the last of its row.
const NUMBERS: [(char, u32); 8] =
    [('P', 29), ('S', 12), ('R', 9), ('D', 7), ('X', 8), ('C', 6), ('O', 4), ('A', 7)];

/// What must be promised; taking a number back is a change of this line.
const PROMISED: &str = "P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 P12 P13 P14 P15 P16 P17 P18 P19 P20 \
    P21 P22 P23 P24 P25 P26 P27 P28 P29 S1 S2 S3 S4 S5 S6 S7 S8 S9 S10 S11 S12 R1 R2 R3 R4 R5 R6 \
    R7 R8 R9 D1 D2 D3 D4 D5 D6 D7 X1 X2 X3 X4 X5 X6 X7 X8 C1 C2 C3 C4 C5 C6 A1 A2 A3 A4 \
    A7";

/// The document: the promised numbers with their tests, and those that are not promised.
#[derive(Default)]
struct Document {
    promised: BTreeMap<String, BTreeSet<String>>,
    not_promised: BTreeSet<String>,
    problems: Vec<String>,
}

/// Reads the items `- **P15** text`, each followed by lines `  - \`p15_name\``, and in the section
/// "Not promised" the items `- **P2** topic`.
fn document() -> io::Result<Document> {
    let mut document = Document::default();
    let mut current = None;
    let mut kept = true;
    for (at, line) in tree::read("docs/semantics.md")?.lines().enumerate() {
        if let Some(heading) = line.strip_prefix("## ") {
            kept = heading != "Not promised";
            current = None;
        } else if let Some((number, _)) =
            line.strip_prefix("- **").and_then(|rest| rest.split_once("**"))
        {
            let number = number.to_owned();
            let known =
                document.promised.contains_key(&number) || document.not_promised.contains(&number);
            if known {
                document.problems.push(format!("docs/semantics.md:{}: {number} again", at + 1));
            }
            if kept {
                document.promised.entry(number.clone()).or_default();
                current = Some(number);
            } else {
                document.not_promised.insert(number);
            }
        } else if let Some(test) =
            line.trim().strip_prefix("- `").and_then(|rest| rest.strip_suffix('`'))
        {
            let tests = current.as_ref().and_then(|number| document.promised.get_mut(number));
            match tests {
                Some(tests) => drop(tests.insert(test.to_owned())),
                None => document.problems.push(format!(
                    "docs/semantics.md:{}: a test that stands under no number",
                    at + 1
                )),
            }
        }
    }
    Ok(document)
}

/// The numbers that a function's name begins with: `p16_p18_dropped` carries `P16` and `P18`.
fn numbers(name: &str) -> Vec<String> {
    let mut parts: Vec<_> = name.split('_').collect();
    parts.pop();
    parts.into_iter().map_while(number).collect()
}

fn number(part: &str) -> Option<String> {
    let mut rest = part.chars();
    let letter = rest.next()?.to_ascii_uppercase();
    let digits = rest.as_str();
    let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let known = NUMBERS.iter().any(|(known, _)| *known == letter);
    let count: u32 = digits.parse().ok().filter(|_| two && known)?;
    Some(format!("{letter}{count}"))
}

/// Every function of the tree whose name carries a number: where it stands, and whether it is a
/// test that runs.
fn functions() -> io::Result<BTreeMap<String, (String, bool)>> {
    let mut found = BTreeMap::new();
    for file in tree::rust()? {
        let tokens = tokens(&file.text);
        for at in 1..tokens.len() {
            let named = tokens[at - 1].word() == Some("fn");
            let Some(name) = tokens[at].word().filter(|name| named && !numbers(name).is_empty())
            else {
                continue;
            };
            let place = format!("{}:{}", file.path, tokens[at].line);
            found.insert(name.to_owned(), (place, is_test(&tokens[..at])));
        }
    }
    Ok(found)
}

/// Whether the attributes right before a function make it a test, and none has it ignored.
fn is_test(before: &[Token<'_>]) -> bool {
    let open =
        before.iter().rposition(|token| token.is('}') || token.is(';')).map_or(0, |at| at + 1);
    let head = &before[open..];
    let attribute = |word: &str| {
        (0..head.len())
            .any(|at| begins(&head[at..], &[word, "]"]) || begins(&head[at..], &[word, "("]))
    };
    attribute("test") && !attribute("ignore")
}

#[test]
fn every_number_is_promised_or_not() -> io::Result<()> {
    let Document { promised, not_promised, mut problems } = document()?;
    for number in PROMISED.split_whitespace().filter(|number| !promised.contains_key(*number)) {
        problems.push(format!("docs/semantics.md does not promise {number}"));
    }
    let mut all = BTreeSet::new();
    for (letter, last) in NUMBERS {
        all.extend((1..=last).map(|count| format!("{letter}{count}")));
    }
    let written: BTreeSet<_> = promised.into_keys().chain(not_promised).collect();
    let missing = all.difference(&written).map(|number| format!("{number} is not mentioned"));
    let unknown = written.difference(&all).map(|number| format!("there is no number {number}"));
    problems.extend(missing.chain(unknown));
    none(&problems);
    Ok(())
}

#[test]
fn promises_and_tests_name_each_other() -> io::Result<()> {
    let Document { promised, mut problems, .. } = document()?;
    let functions = functions()?;
    for (number, tests) in &promised {
        if tests.is_empty() {
            problems.push(format!("{number} is promised and names no test"));
        }
        for test in tests.iter().filter(|test| !functions.contains_key(*test)) {
            problems.push(format!("{number} names {test}, which is not there"));
        }
    }
    for (name, (place, runs)) in &functions {
        if !runs {
            problems.push(format!("{place}: {name} is no test that runs"));
        }
        for number in numbers(name) {
            match promised.get(&number) {
                None => problems.push(format!("{place}: {name}: {number} is not promised")),
                Some(tests) if !tests.contains(name) => {
                    problems.push(format!("{place}: {name} is not listed under {number}"));
                }
                Some(_) => {}
            }
        }
    }
    none(&problems);
    Ok(())
}

#[test]
fn a_page_names_only_tests_that_are_there() -> io::Result<()> {
    let functions = functions()?;
    let mut problems = Vec::new();
    for page in tree::files("", &[".md"])? {
        for name in page.text.split('`').skip(1).step_by(2) {
            let word = name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
            if word && !numbers(name).is_empty() && !functions.contains_key(name) {
                problems.push(format!("{} names {name}, which is not there", page.path));
            }
        }
    }
    none(&problems);
    Ok(())
}

#[test]
fn a_name_carries_a_number_only_with_letter_and_two_digits() {
    assert_eq!(numbers("p05_sorted"), ["P5"]);
    assert_eq!(numbers("x08_c01_signal"), ["X8", "C1"]);
    for name in ["p5_sorted", "q05_sorted", "p05", "p005_sorted", "sorted_p05_", "é05_x"] {
        assert!(numbers(name).is_empty(), "{name}");
    }
}
