//! From a request to whoever answers it: the administration, or an AWS service that is started for
//! its first request.
//!
//! The trap: between finding a service and calling it, the service may end. A request that it has
//! not seen is given to the next run, once; after that the client is asked to try again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use plux::{Name, ServiceContext, StartError, Supervisor};

use super::{admin, local};
use crate::aws::{CallError, Endpoint, Fault, Request, Response, Target, full};
use crate::cloud::Cloud;

/// How long a request waits for its service to start. The service's own start timeout is shorter;
/// this bounds what a start may wait for besides.
const START_WAIT: Duration = Duration::from_secs(60);

/// Answers the requests of one run of the gateway.
#[derive(Clone)]
pub(super) struct Dispatch {
    cx: ServiceContext,
    cloud: Cloud,
    aws: Arc<[Name]>,
    requests: Arc<AtomicU64>,
    peer: SocketAddr,
}

impl Dispatch {
    pub(super) fn new(cx: &ServiceContext, cloud: Cloud, aws: Arc<[Name]>) -> Self {
        let nobody = SocketAddr::from(([0, 0, 0, 0], 0));
        Self { cx: cx.clone(), cloud, aws, requests: Arc::default(), peer: nobody }
    }

    pub(super) fn for_peer(&self, peer: SocketAddr) -> Self {
        Self { peer, ..self.clone() }
    }

    /// Answers, whatever happens.
    pub(super) async fn answer(&self, request: Request) -> Response {
        let path = request.uri().path();
        if path == "/_plux" || path.starts_with("/_plux/") {
            return match local::check(self.peer, request.uri(), request.headers()) {
                Ok(()) => admin::answer(self, &request).await,
                Err(why) => admin::refusal(&why),
            };
        }
        let target = Target::of(request.uri(), request.headers());
        let method = request.method().clone();
        self.call(&target, request).await.unwrap_or_else(|fault| {
            let number = self.requests.fetch_add(1, Ordering::Relaxed);
            let id = format!("plux-{}-{number}", self.cx.incarnation());
            target.protocol.answer(&fault, &method, &id).map(full)
        })
    }

    async fn call(&self, target: &Target, mut request: Request) -> Result<Response, Fault> {
        let name = target.service.as_str();
        if !self.is_aws(name) {
            let here: Vec<&str> = self.aws.iter().map(Name::as_str).collect();
            let here = here.join(", ");
            return Err(Fault::not_implemented(format!(
                "there is no `{name}` here; there is {here}"
            )));
        }
        for _ in 0..2 {
            match self.endpoint(name).await?.call(request).await {
                Ok(response) => return Ok(response),
                Err(CallError::Ended(unread)) => request = *unread,
                Err(error @ CallError::Lost) => return Err(Fault::unavailable(error.to_string())),
            }
        }
        Err(Fault::unavailable(format!("`{name}` ended while it was called")))
    }

    /// The endpoint of a service, which is started when it does not run.
    async fn endpoint(&self, name: &str) -> Result<Arc<Endpoint>, Fault> {
        let supervisor = self.supervisor().ok_or_else(|| Fault::unavailable("shutting down"))?;
        let running = || supervisor.handle::<Endpoint>(name).and_then(|handle| handle.get());
        if let Ok(endpoint) = running() {
            return Ok(endpoint);
        }
        match tokio::time::timeout(START_WAIT, supervisor.start(name)).await {
            Ok(Ok(_)) => running().map_err(|error| Fault::unavailable(error.to_string())),
            Ok(Err(error @ (StartError::Disabled { .. } | StartError::Unknown { .. }))) => {
                Err(Fault::not_implemented(error.to_string()))
            }
            Ok(Err(error)) => Err(Fault::unavailable(error.to_string())),
            Err(_) => Err(Fault::unavailable(format!("`{name}` takes too long to start"))),
        }
    }

    pub(super) fn supervisor(&self) -> Option<Supervisor> {
        self.cx.supervisor().upgrade()
    }

    /// The name of the gateway itself.
    pub(super) fn own_name(&self) -> &Name {
        self.cx.name()
    }

    /// Whether this is an AWS service that is switched off.
    pub(super) fn is_disabled(&self, name: &str) -> bool {
        self.is_aws(name) && !self.cloud.enabled(name)
    }

    fn is_aws(&self, name: &str) -> bool {
        self.aws.iter().any(|known| known == name)
    }
}
