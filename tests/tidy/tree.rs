//! The files of the tree: those that belong to the project, none that a build or a tool made.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// A text file of the project.
pub(crate) struct File {
    /// Relative to the root, with `/` between the parts.
    pub(crate) path: String,
    /// What stands in it.
    pub(crate) text: String,
}

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Reads one file.
pub(crate) fn read(path: &str) -> io::Result<String> {
    fs::read_to_string(root().join(path))
}

/// All files below `folder` (`""` is the root) whose name ends in one of `endings`, by path.
pub(crate) fn files(folder: &str, endings: &[&str]) -> io::Result<Vec<File>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            if entry.file_type()?.is_dir() {
                let foreign = name == "target" || (name.starts_with('.') && name != ".ci");
                if !foreign {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| path.ends_with(ending)) {
                found.push(File { text: fs::read_to_string(entry.path())?, path });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Every Rust file of the project.
pub(crate) fn rust() -> io::Result<Vec<File>> {
    files("", &[".rs"])
}
