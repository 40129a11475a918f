//! The manifests: what the workspace offers its members is taken by one of them.

use std::io;

use crate::{none, tree};

#[test]
fn every_workspace_dependency_is_used() -> io::Result<()> {
    let workspace = tree::read("Cargo.toml")?;
    let members = tree::files("", &["/Cargo.toml"])?;
    let offered: Vec<_> = section(&workspace, "[workspace.dependencies]").collect();
    assert!(!offered.is_empty(), "Cargo.toml has no [workspace.dependencies]");
    let unused = offered.into_iter().filter(|name| {
        let short = format!("{name}.workspace = true");
        let long = format!("{name} = {{ workspace = true");
        let taken = |line: &str| line.starts_with(&short) || line.starts_with(&long);
        !members.iter().any(|member| member.text.lines().any(taken))
    });
    none(&unused.map(|name| format!("Cargo.toml: no member uses {name}")).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn every_member_takes_the_lints_of_the_workspace() -> io::Result<()> {
    let strict = |text: &str| section(text, "[lints]").any(|key| key == "workspace");
    let members = tree::files("", &["/Cargo.toml"])?;
    let lax = members.iter().filter(|member| !strict(&member.text));
    none(
        &lax.map(|file| format!("{}: no [lints] workspace = true", file.path)).collect::<Vec<_>>(),
    );
    Ok(())
}

/// The keys of one section.
fn section<'a>(text: &'a str, header: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines()
        .skip_while(move |line| line.trim() != header)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('=').map(|(key, _)| key.trim()))
        .filter(|key| !key.starts_with('#') && !key.contains(' '))
}
