//! Words that the sources do without, and the one place where each may stand.

use std::collections::BTreeSet;
use std::io;

use crate::none;
use crate::tokens::{Token, begins, tokens};
use crate::tree::{self, File};

/// Runs `offence` at every token of every file; it says what is wrong with the tokens from there.
fn problems(
    files: &[File],
    offence: impl Fn(&File, &[Token<'_>], usize) -> Option<&'static str>,
) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files {
        let tokens = tokens(&file.text);
        for at in 0..tokens.len() {
            if let Some(what) = offence(file, &tokens, at) {
                problems.push(format!("{}:{}: {what}", file.path, tokens[at].line));
            }
        }
    }
    problems
}

#[test]
fn nothing_is_unsafe_but_an_attribute_that_a_macro_emits() -> io::Result<()> {
    none(&problems(&tree::rust()?, |file, tokens, at| {
        let attribute = begins(&tokens[at..], &["unsafe", "(", "link_section", "="]);
        let emitted = attribute && file.path.starts_with("plux-macros/src/");
        // A case that is refused for it never compiles.
        let refused = file.path == "tests/ui/fail/function_unsafe.rs";
        (tokens[at].word() == Some("unsafe") && !emitted && !refused).then_some("unsafe")
    }));
    Ok(())
}

#[test]
fn a_lint_is_expected_with_a_reason_and_never_allowed() -> io::Result<()> {
    none(&problems(&tree::rust()?, |file, tokens, at| {
        let here = &tokens[at..];
        let allowed =
            begins(here, &["#", "[", "allow", "("]) || begins(here, &["#", "!", "[", "allow", "("]);
        // In generated code what the user wrote decides whether these fire.
        let emitted = file.path.starts_with("plux-macros/src/")
            && (begins(here, &["#", "[", "allow", "(", "clippy", ":", ":", "ptr_arg", ")"])
                || begins(here, &["#", "[", "allow", "(", "deprecated", ")"]));
        (allowed && !emitted).then_some("write #[expect(lint, reason = \"…\")] for #[allow(lint)]")
    }));
    Ok(())
}

/// The library as it is built without tests: no file that is only for them.
fn library() -> io::Result<Vec<File>> {
    let mut files = tree::files("plux/src", &[".rs"])?;
    let mut only_tests = BTreeSet::new();
    for file in &files {
        let tokens = tokens(&file.text);
        let folder = file.path.trim_end_matches("mod.rs").trim_end_matches("lib.rs");
        let folder = folder.strip_suffix(".rs").unwrap_or(folder).trim_end_matches('/');
        let gate = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
        for at in (0..tokens.len()).filter(|at| begins(&tokens[*at..], &gate)) {
            let Some(name) = tokens.get(at + gate.len()).and_then(Token::word) else { continue };
            only_tests.insert(format!("{folder}/{name}.rs"));
        }
    }
    files.retain(|file| !only_tests.contains(&file.path));
    Ok(files)
}

#[test]
fn the_library_has_no_panicking_shortcut() -> io::Result<()> {
    none(&problems(&library()?, |_, tokens, at| {
        let called = |method| begins(&tokens[at..], &[".", method, "("]);
        (called("unwrap") || called("expect")).then_some("unwrap or expect in the library")
    }));
    Ok(())
}

#[test]
fn one_file_spawns() -> io::Result<()> {
    none(&problems(&library()?, |file, tokens, at| {
        let here = &tokens[at..];
        let spawns = begins(here, &["tokio", ":", ":", "spawn"])
            || begins(here, &["tokio", ":", ":", "task", ":", ":", "spawn"])
            || begins(here, &["task", ":", ":", "spawn_blocking"])
            || begins(here, &["JoinSet"]);
        (spawns && file.path != "plux/src/task.rs").then_some("only task.rs spawns")
    }));
    Ok(())
}

#[test]
fn the_library_never_blocks_a_worker() -> io::Result<()> {
    none(&problems(&library()?, |_, tokens, at| {
        let here = &tokens[at..];
        begins(here, &["thread", ":", ":", "sleep"]).then_some("thread::sleep in the library")
    }));
    Ok(())
}
