//! Words that the sources do without, and the one place where each may stand.

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
        let attribute = at > 0 && tokens[at - 1].is('[');
        let emitted = attribute && file.path.starts_with("plux-macros/src/");
        (tokens[at].word() == Some("unsafe") && !emitted).then_some("unsafe")
    }));
    Ok(())
}

#[test]
fn a_lint_is_expected_with_a_reason_and_never_allowed() -> io::Result<()> {
    none(&problems(&tree::rust()?, |_, tokens, at| {
        let here = &tokens[at..];
        let allowed =
            begins(here, &["#", "[", "allow", "("]) || begins(here, &["#", "!", "[", "allow", "("]);
        allowed.then_some("write #[expect(lint, reason = \"…\")] for #[allow(lint)]")
    }));
    Ok(())
}

#[test]
fn the_library_has_no_panicking_shortcut() -> io::Result<()> {
    none(&problems(&tree::files("plux/src", &[".rs"])?, |_, tokens, at| {
        let called = |method| begins(&tokens[at..], &[".", method, "("]);
        (called("unwrap") || called("expect")).then_some("unwrap or expect in the library")
    }));
    Ok(())
}

#[test]
fn one_file_spawns() -> io::Result<()> {
    none(&problems(&tree::files("plux/src", &[".rs"])?, |file, tokens, at| {
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
    none(&problems(&tree::files("plux/src", &[".rs"])?, |_, tokens, at| {
        let here = &tokens[at..];
        begins(here, &["thread", ":", ":", "sleep"]).then_some("thread::sleep in the library")
    }));
    Ok(())
}
