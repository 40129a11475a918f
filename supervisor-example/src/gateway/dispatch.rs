//! From a request to whoever answers it: the administration, or an AWS service that is started for
//! its first request.
//!
//! The trap: between finding a service and calling it, the service may end. A request that it has
//! not seen is given to the next run.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use plux::{HandleError, Name, ServiceContext, SpecRef, StartError, Supervisor};

use super::{admin, local};
use crate::aws::{CallError, Endpoint, Fault, Request, Response, Target, full};
use crate::cloud::Cloud;

/// How long a request waits for its service to start. The service's own start timeout is shorter;
/// this bounds what a start may wait for besides.
const START_WAIT: Duration = Duration::from_secs(60);

/// How often a request may find its service gone, or have it started, before its client is asked
/// to come back.
const MOVES: u32 = 16;

/// Answers the requests of one run of the gateway.
#[derive(Clone)]
pub(super) struct Dispatch {
    cx: ServiceContext,
    cloud: Cloud,
    aws: Arc<[SpecRef]>,
    requests: Arc<AtomicU64>,
}

impl Dispatch {
    pub(super) fn new(cx: &ServiceContext, cloud: Cloud, aws: Arc<[SpecRef]>) -> Self {
        Self { cx: cx.clone(), cloud, aws, requests: Arc::default() }
    }

    /// Answers, whatever happens.
    pub(super) async fn answer(&self, request: Request, peer: SocketAddr) -> Response {
        let path = request.uri().path();
        if path == "/_plux" || path.starts_with("/_plux/") {
            return match local::check(peer, request.uri(), request.headers()) {
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
        if self.aws(name).is_none() {
            let here: Vec<&str> = self.aws.iter().map(|spec| spec.name().as_str()).collect();
            let here = here.join(", ");
            return Err(Fault::not_implemented(format!(
                "there is no `{name}` here; there is {here}"
            )));
        }
        for _ in 0..MOVES {
            let Some(endpoint) = self.endpoint(name)? else {
                self.start(name).await?;
                continue;
            };
            match endpoint.call(request).await {
                Ok(response) => return Ok(response),
                Err(CallError::Ended(unread)) => request = *unread,
                Err(error @ CallError::Lost) => return Err(Fault::unavailable(error.to_string())),
            }
        }
        Err(Fault::unavailable(format!("`{name}` ends whenever it is called")))
    }

    /// The endpoint of a service, if it runs.
    fn endpoint(&self, name: &str) -> Result<Option<Arc<Endpoint>>, Fault> {
        let published = self.supervisor()?.handle::<Endpoint>(name).and_then(|handle| handle.get());
        match published {
            Ok(endpoint) => Ok(Some(endpoint)),
            Err(error @ HandleError::Type { .. }) => Err(Fault::unavailable(error.to_string())),
            Err(_) => Ok(None),
        }
    }

    /// Starts a service for a request, whether or not others do so too.
    async fn start(&self, name: &str) -> Result<(), Fault> {
        let supervisor = self.supervisor()?;
        match tokio::time::timeout(START_WAIT, supervisor.start(name)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error @ (StartError::Disabled { .. } | StartError::Unknown { .. }))) => {
                Err(Fault::not_implemented(error.to_string()))
            }
            Ok(Err(error)) => Err(Fault::unavailable(error.to_string())),
            Err(_) => Err(Fault::unavailable(format!("`{name}` takes too long to start"))),
        }
    }

    /// The supervisor, which nobody may hold for longer than a question takes.
    ///
    /// # Errors
    /// When its owner has dropped it.
    pub(super) fn supervisor(&self) -> Result<Supervisor, Fault> {
        let supervisor = self.cx.supervisor().upgrade();
        supervisor.ok_or_else(|| Fault::unavailable("the cloud is shutting down"))
    }

    /// The name of the gateway itself.
    pub(super) fn own_name(&self) -> &Name {
        self.cx.name()
    }

    /// Whether this is an AWS service that is switched off or refused.
    pub(super) fn is_disabled(&self, name: &str) -> bool {
        self.aws(name).is_some_and(|spec| !self.cloud.enabled(name) || self.cloud.refuses(spec))
    }

    fn aws(&self, name: &str) -> Option<&SpecRef> {
        self.aws.iter().find(|spec| spec.name() == name)
    }
}
