//! The data directory, as a service: locked while it runs, so that two processes never share it.

mod lock;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use plux::{BoxError, Service, ServiceContext};

pub use lock::{DirectoryLock, LockError};

use crate::cloud::{Cloud, CloudService};

/// What the storage service publishes: where each service may keep its files.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
}

impl DataDirectory {
    /// The directory of one service. It may have to be made.
    pub fn of(&self, service: &str) -> PathBuf {
        self.path.join(service)
    }

    /// The whole data directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[derive(Default)]
struct StoragePlugin;

#[plux::plugin(name = "storage")]
impl CloudService for StoragePlugin {
    async fn load(&self, cloud: &Cloud) -> Result<Arc<dyn Service>, BoxError> {
        Ok(Arc::new(Storage { path: cloud.data_directory().to_owned() }))
    }
}

struct Storage {
    path: PathBuf,
}

#[async_trait]
impl Service for Storage {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        let path = self.path.clone();
        let _lock = tokio::task::spawn_blocking(move || DirectoryLock::acquire(&path)).await??;
        cx.ready(DataDirectory { path: self.path.clone() });
        cx.stopping().await;
        Ok(())
    }
}
