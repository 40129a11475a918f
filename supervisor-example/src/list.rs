//! The registered plugins, for people and for programs.

use std::io::{self, Write};

use plux::{DependencyKind, PluginSpec, SpecRef};
use serde_json::{Value, json};

use crate::arguments::Format;

/// Prints the plugins.
///
/// # Errors
/// When `out` can not be written.
pub fn print(out: &mut impl Write, specs: &[SpecRef], format: Format) -> io::Result<()> {
    match format {
        Format::Json => {
            let list: Vec<Value> = specs.iter().map(|spec| as_json(spec)).collect();
            writeln!(out, "{:#}", Value::from(list))
        }
        Format::Table => {
            let rows: Vec<[String; 4]> = specs.iter().map(|spec| as_row(spec)).collect();
            let head = ["NAMESPACE", "NAME", "ORIGIN", "DEPENDENCIES"].map(String::from);
            let rows: Vec<&[String; 4]> = std::iter::once(&head).chain(&rows).collect();
            let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
            let widths = [width(0), width(1), width(2)];
            for [namespace, name, origin, dependencies] in rows {
                let [a, b, c] = widths;
                let line = format!("{namespace:a$}  {name:b$}  {origin:c$}  {dependencies}");
                writeln!(out, "{}", line.trim_end())?;
            }
            Ok(())
        }
    }
}

fn dependencies(spec: &PluginSpec, kind: DependencyKind) -> Vec<String> {
    let of_kind = spec.dependencies().iter().filter(|dependency| dependency.kind == kind);
    of_kind
        .map(|dependency| match &dependency.namespace {
            Some(namespace) => format!("{namespace}:{}", dependency.name),
            None => dependency.name.to_string(),
        })
        .collect()
}

fn as_json(spec: &PluginSpec) -> Value {
    let origin = spec.origin();
    json!({
        "namespace": spec.namespace().as_str(),
        "name": spec.name().as_str(),
        "requires": dependencies(spec, DependencyKind::Requires),
        "wants": dependencies(spec, DependencyKind::Wants),
        "after": dependencies(spec, DependencyKind::After),
        "origin": {
            "package": origin.package, "version": origin.version, "module": origin.module,
            "file": origin.file, "line": origin.line,
        },
    })
}

fn as_row(spec: &PluginSpec) -> [String; 4] {
    let kinds = [DependencyKind::Requires, DependencyKind::Wants, DependencyKind::After];
    let words: Vec<String> = kinds
        .into_iter()
        .map(|kind| (kind, dependencies(spec, kind)))
        .filter(|(_, names)| !names.is_empty())
        .map(|(kind, names)| format!("{kind} {}", names.join(", ")))
        .collect();
    [
        spec.namespace().to_string(),
        spec.name().to_string(),
        spec.origin().to_string(),
        words.join("; "),
    ]
}
