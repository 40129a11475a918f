//! What every service of this cloud is given when it is loaded, and the contract of those that are
//! not AWS's.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plux::{FilterRule, PluginSpec, Service};

/// The contract of the cloud's own services: the data directory, the gateway.
#[plux::extension_point(namespace = "cloud.services", context = Cloud, output = Arc<dyn Service>)]
pub trait CloudService {}

/// The key pair with which clients sign.
#[derive(Clone)]
pub struct Credentials {
    /// The key's name.
    pub access_key: String,
    /// The key; never printed.
    pub secret_key: String,
}

impl Default for Credentials {
    /// `test` and `test`, as LocalStack's users sign.
    fn default() -> Self {
        Self { access_key: "test".to_owned(), secret_key: "test".to_owned() }
    }
}

/// The settings of a cloud. Clones share them.
#[derive(Clone)]
pub struct Cloud {
    settings: Arc<Settings>,
}

/// What a cloud is made from.
#[derive(Clone)]
pub struct Settings {
    /// Where the gateway listens; port 0 lets the system choose.
    pub gateway: SocketAddr,
    /// Where everything is kept.
    pub data_directory: PathBuf,
    /// The AWS services that may start; `None` is all.
    pub services: Option<BTreeSet<String>>,
    /// The plugins that may not load.
    pub refused: Vec<FilterRule>,
    /// With what clients sign.
    pub credentials: Credentials,
}

impl Default for Settings {
    /// Everything there is, on LocalStack's port of this machine.
    fn default() -> Self {
        Self {
            gateway: SocketAddr::from(([127, 0, 0, 1], 4566)),
            data_directory: PathBuf::from("plux-data"),
            services: None,
            refused: Vec::new(),
            credentials: Credentials::default(),
        }
    }
}

impl Cloud {
    /// Takes the settings as they are.
    pub fn new(settings: Settings) -> Self {
        Self { settings: Arc::new(settings) }
    }

    /// Whether the AWS service of this name may start.
    pub fn enabled(&self, service: &str) -> bool {
        self.settings.services.as_ref().is_none_or(|services| services.contains(service))
    }

    /// The rules for the plugins that may not load.
    pub fn refused(&self) -> &[FilterRule] {
        &self.settings.refused
    }

    /// Whether a rule refuses the plugin of this spec.
    pub fn refuses(&self, spec: &PluginSpec) -> bool {
        self.refused().iter().any(|rule| rule.matches(spec))
    }

    /// Where everything is kept.
    pub fn data_directory(&self) -> &Path {
        &self.settings.data_directory
    }

    /// With what clients sign.
    pub fn credentials(&self) -> &Credentials {
        &self.settings.credentials
    }

    /// Where the gateway listens.
    pub fn gateway(&self) -> SocketAddr {
        self.settings.gateway
    }
}
