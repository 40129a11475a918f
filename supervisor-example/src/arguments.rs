//! The command line: flags before environment before defaults.
//!
//! The trap: a list of services usually comes from a script that was written for another cloud, so
//! a service of AWS that is known and not part of this one is no error, and neither is an empty
//! entry; a misspelt name is. What is linked in counts, known or not.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use plux::{FilterRule, PluginFinder, RegistryFinder};

use crate::aws::{AWS, KNOWN};
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
    #[arg(long, value_name = "ADDR", default_value_t = Settings::default().gateway)]
    pub gateway: SocketAddr,
    /// Where everything is kept.
    #[arg(long, value_name = "DIR", default_value_os_t = Settings::default().data_directory)]
    pub data_dir: PathBuf,
    /// The AWS services that may start, separated by commas; all of them unless given.
    #[arg(
        long,
        value_name = "NAMES",
        env = "SERVICES",
        value_delimiter = ',',
        value_parser = service
    )]
    pub services: Vec<String>,
    /// The plugins that may not load: globs over their names, separated by commas, such as `s3,sq*`.
    #[arg(
        long,
        value_name = "GLOBS",
        env = "PLUX_DISABLE",
        value_delimiter = ',',
        value_parser = refused
    )]
    pub disable: Vec<Option<FilterRule>>,
    /// Start every service at once and not at its first request.
    #[arg(long, env = "EAGER_SERVICE_LOADING", value_parser = clap::builder::FalseyValueParser::new())]
    pub eager: bool,
    /// How the log is written to stderr; what is logged is up to RUST_LOG.
    #[arg(long, value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// The key that clients sign with.
    #[arg(
        long,
        value_name = "KEY",
        env = "PLUX_ACCESS_KEY",
        default_value_t = Credentials::default().access_key
    )]
    pub access_key: String,
    /// The secret of that key.
    #[arg(
        long,
        value_name = "SECRET",
        env = "PLUX_SECRET_KEY",
        default_value_t = Credentials::default().secret_key,
        hide_env_values = true
    )]
    pub secret_key: String,
    /// How many seconds a service may take to finish what it has begun when it is to stop.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub grace_period: Duration,
}

/// How a list is printed.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// One JSON array.
    Json,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

impl Serve {
    /// The settings of the cloud.
    pub fn settings(&self) -> Settings {
        let services = self.services.iter().filter(|name| !name.is_empty());
        let services: BTreeSet<String> = services.cloned().collect();
        Settings {
            gateway: self.gateway,
            data_directory: self.data_dir.clone(),
            services: Some(services).filter(|services| !services.is_empty()),
            refused: self.disable.iter().flatten().cloned().collect(),
            credentials: Credentials {
                access_key: self.access_key.clone(),
                secret_key: self.secret_key.clone(),
            },
        }
    }
}

/// The name of a service that is linked in or of the catalog, or nothing.
fn service(text: &str) -> Result<String, String> {
    let name = text.trim();
    let linked = RegistryFinder.find(&AWS).map_err(|error| error.to_string())?;
    let names: BTreeSet<&str> = KNOWN
        .iter()
        .map(|known| known.name)
        .chain(linked.specs.iter().map(|spec| spec.name().as_str()))
        .collect();
    if name.is_empty() || names.contains(name) {
        return Ok(name.to_owned());
    }
    let near = names
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .min()
        .filter(|(distance, _)| *distance <= 2)
        .map(|(_, near)| format!("; did you mean `{near}`?"));
    Err(format!("there is no service `{name}`{}", near.unwrap_or_default()))
}

/// A rule for the plugins of these names, or nothing.
fn refused(text: &str) -> Result<Option<FilterRule>, String> {
    let glob = text.trim();
    if glob.is_empty() {
        return Ok(None);
    }
    // The message of clap names the flag alone.
    let rule = FilterRule::builder().name(glob).build();
    rule.map(Some).map_err(|error| format!("PLUX_DISABLE: {error}"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "give a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use plux::{BoxError, Service};

    use super::*;
    use crate::Cloud;
    use crate::aws::AwsService;

    #[derive(Default)]
    struct Own;

    #[plux::plugin(name = "a-service-of-ones-own")]
    impl AwsService for Own {
        async fn load(&self, _: &Cloud) -> Result<Arc<dyn Service>, BoxError> {
            Err("nobody loads it".into())
        }
    }

    #[test]
    fn a_service_that_is_linked_in_may_be_named_whatever_the_catalog_knows() {
        let name = "a-service-of-ones-own";
        assert_eq!(service(name).as_deref(), Ok(name));
    }

    #[test]
    fn the_flags_are_consistent() {
        use clap::CommandFactory;

        Arguments::command().debug_assert();
    }

    #[test]
    fn a_misspelt_service_is_an_error_with_a_suggestion() {
        let error = service("dynamdb").expect_err("misspelt");
        assert!(error.contains("`dynamdb`") && error.contains("`dynamodb`"), "{error}");
        assert_eq!(service(" sqs").as_deref(), Ok("sqs"));
    }

    #[test]
    fn no_services_are_all_of_them() {
        let parsed = |services: &str| {
            let arguments = ["x", "serve", "--services", services];
            let Command::Serve(serve) = Arguments::parse_from(arguments).command else {
                unreachable!("it is `serve`");
            };
            serve.settings().services
        };
        assert_eq!(parsed(""), None);
        assert_eq!(parsed("s3,,sqs"), Some(["s3", "sqs"].map(String::from).into()));
    }
}
