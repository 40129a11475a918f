//! What a service is, and what it sees of its supervisor while it runs.

use async_trait::async_trait;

use crate::error::BoxError;

/// Something that runs on until it is told to stop.
#[async_trait]
pub trait Service: Send + Sync + 'static {
    /// One run of the service: becomes ready, serves, ends.
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError>;
}

/// What one run of a service is given.
#[derive(Debug, Clone)]
pub struct ServiceContext {}
