//! The gateway, as a service: the one port, and behind it whatever a request is for. It publishes
//! its address.
//!
//! The trap: a port 0 is a new port at every bind. The first one is kept, so that clients find the
//! gateway again after a restart.

mod admin;
mod connection;
mod dispatch;
mod local;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use plux::{BoxError, Service, ServiceContext, SpecRef};
use tokio::net::TcpListener;

use self::dispatch::Dispatch;
use crate::cloud::{Cloud, CloudService};

/// How long to wait before accepting again when the system has no more sockets.
const NO_SOCKETS: Duration = Duration::from_millis(100);

/// The gateway's plugin. It is made for the AWS services that are registered.
pub(crate) struct Gateway {
    aws: Arc<[SpecRef]>,
}

impl Gateway {
    pub(crate) fn new(aws: Arc<[SpecRef]>) -> Self {
        Self { aws }
    }
}

#[async_trait]
impl CloudService for Gateway {
    async fn load(&self, cloud: &Cloud) -> Result<Arc<dyn Service>, BoxError> {
        Ok(Arc::new(Listening {
            cloud: cloud.clone(),
            aws: Arc::clone(&self.aws),
            bound: OnceLock::new(),
        }))
    }
}

struct Listening {
    cloud: Cloud,
    aws: Arc<[SpecRef]>,
    bound: OnceLock<SocketAddr>,
}

#[async_trait]
impl Service for Listening {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        let wanted = self.bound.get().copied().unwrap_or(self.cloud.gateway());
        let listener = TcpListener::bind(wanted)
            .await
            .map_err(|error| format!("the gateway can not listen on {wanted}: {error}"))?;
        let bound = listener.local_addr()?;
        let address = *self.bound.get_or_init(|| bound);
        let dispatch = Dispatch::new(&cx, self.cloud.clone(), Arc::clone(&self.aws));
        cx.ready(address);
        while let Some(accepted) = cx.running_until(listener.accept()).await {
            match accepted {
                Ok((stream, peer)) => {
                    cx.spawn(connection::serve(stream, peer, dispatch.clone(), cx.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    cx.running_until(tokio::time::sleep(NO_SOCKETS)).await;
                }
            }
        }
        Ok(())
    }
}
