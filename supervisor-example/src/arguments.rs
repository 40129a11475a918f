//! The command line: flags before environment before defaults.
//!
//! The trap: a list of services usually comes from a script that was written for another cloud, so
//! a service of AWS that is not part of this one is no error; a misspelt one is.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use crate::aws::KNOWN;
use crate::cloud::{Credentials, Settings};

/// A local cloud: one port, and services that start on their first request.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Serve until the first signal; drain then, and give up at the second.
    Serve(Box<Serve>),
    /// Print the registered plugins, where they come from and what they depend on.
    List {
        /// How to print them.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

/// How to serve.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Where the gateway listens; port 0 lets the system choose one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4566")]
    pub gateway: SocketAddr,
    /// Where everything is kept.
    #[arg(long, value_name = "DIR", default_value = "plux-data")]
    pub data_dir: PathBuf,
    /// The AWS services that may start, separated by commas; all of them unless given.
    #[arg(long, value_name = "NAMES", env = "SERVICES", value_delimiter = ',')]
    pub services: Option<Vec<String>>,
    /// Start every service at once and not at its first request.
    #[arg(long, env = "EAGER_SERVICE_LOADING", value_parser = clap::builder::FalseyValueParser::new())]
    pub eager: bool,
    /// How the log is written to stderr; what is logged is up to RUST_LOG.
    #[arg(long, value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// The key that clients sign with.
    #[arg(long, value_name = "KEY", env = "PLUX_ACCESS_KEY", default_value = "test")]
    pub access_key: String,
    /// The secret of that key.
    #[arg(
        long,
        value_name = "SECRET",
        env = "PLUX_SECRET_KEY",
        default_value = "test",
        hide_env_values = true
    )]
    pub secret_key: String,
    /// How many seconds a service may take to finish what it has begun when it is to stop.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub grace_period: Duration,
}

/// How a list is printed.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
#[non_exhaustive]
pub enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// One JSON array.
    Json,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
#[non_exhaustive]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// A list of services with a name in it that is none.
#[derive(Debug, thiserror::Error)]
#[error("--services (SERVICES): there is no service `{name}`{}", suggestion(.near))]
pub struct UnknownService {
    name: String,
    near: Option<&'static str>,
}

fn suggestion(near: &Option<&'static str>) -> String {
    near.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

impl Serve {
    /// The settings of the cloud.
    ///
    /// # Errors
    /// [`UnknownService`] for a name that is no service of AWS.
    pub fn settings(&self) -> Result<Settings, UnknownService> {
        Ok(Settings {
            gateway: self.gateway,
            data_directory: self.data_dir.clone(),
            services: self.services.as_deref().map(checked).transpose()?,
            credentials: Credentials {
                access_key: self.access_key.clone(),
                secret_key: self.secret_key.clone(),
            },
        })
    }
}

fn checked(names: &[String]) -> Result<BTreeSet<String>, UnknownService> {
    let names = names.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
    names
        .map(|name| {
            if KNOWN.iter().any(|known| known.name == name) {
                return Ok(name.to_owned());
            }
            let near = KNOWN
                .iter()
                .map(|known| (strsim::damerau_levenshtein(known.name, name), known.name))
                .min()
                .filter(|(distance, _)| *distance <= 2)
                .map(|(_, near)| near);
            Err(UnknownService { name: name.to_owned(), near })
        })
        .collect()
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "give a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_misspelt_service_is_an_error_with_a_suggestion() {
        let error = checked(&["s3".into(), "dynamdb".into()]).expect_err("misspelt").to_string();
        assert!(error.contains("`dynamdb`") && error.contains("`dynamodb`"), "{error}");
        let both = checked(&["s3".into(), " sqs".into(), String::new()]).expect("both are AWS's");
        assert_eq!(both.len(), 2);
    }
}
