//! `/_plux`: how the services are, and starting, stopping and restarting them by hand.
//!
//! The trap: a gateway that waited for its own stop would wait for this very request. What
//! concerns the gateway itself is asked for and answered 202, and the drain lets the answer out.

use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use plux::{
    Near, RestartError, ServiceState, ServiceStatus, StartError, StartOutcome, StopError, Stopped,
    Supervisor,
};
use serde_json::{Value, json};

use super::dispatch::Dispatch;
use crate::aws::{Request, Response, full};

/// Answers a request below `/_plux`.
pub(super) async fn answer(dispatch: &Dispatch, request: &Request) -> Response {
    let parts: Vec<&str> = request.uri().path().split('/').skip(2).collect();
    let supervisor = match dispatch.supervisor() {
        Ok(supervisor) => supervisor,
        Err(fault) => return refuse(fault.status, &fault.message, &[]),
    };
    match (request.method(), parts.as_slice()) {
        (&Method::GET | &Method::HEAD, ["health"]) => {
            document(StatusCode::OK, &health(dispatch, &supervisor))
        }
        (&Method::GET | &Method::HEAD, ["services"]) => {
            document(StatusCode::OK, &services(dispatch, &supervisor))
        }
        (&Method::POST, ["services", name, "start"]) => start(&supervisor, name).await,
        (&Method::POST, ["services", name, "stop"]) => stop(dispatch, &supervisor, name).await,
        (&Method::POST, ["services", name, "restart"]) => {
            restart(dispatch, &supervisor, name).await
        }
        (_, ["health"] | ["services"]) => wrong_method("GET"),
        (_, ["services", _, "start" | "stop" | "restart"]) => wrong_method("POST"),
        _ => refuse(
            StatusCode::NOT_FOUND,
            "there are /_plux/health, /_plux/services and /_plux/services/NAME/{start|stop|restart}",
            &[],
        ),
    }
}

/// Answers a request that does not come from this machine, or not by itself.
pub(super) fn refusal(why: &str) -> Response {
    refuse(StatusCode::FORBIDDEN, why, &[])
}

fn health(dispatch: &Dispatch, supervisor: &Supervisor) -> Value {
    let services: serde_json::Map<String, Value> = supervisor
        .list()
        .iter()
        .map(|status| (status.id.name.to_string(), word(dispatch, status).into()))
        .collect();
    json!({ "services": services })
}

fn services(dispatch: &Dispatch, supervisor: &Supervisor) -> Value {
    let services: Vec<Value> = supervisor
        .list()
        .iter()
        .map(|status| {
            json!({
                "name": status.id.name.as_str(),
                "namespace": status.id.namespace.as_str(),
                "health": word(dispatch, status),
                "state": status.state.to_string(),
                "incarnation": status.incarnation,
                "origin": status.origin.to_string(),
            })
        })
        .collect();
    json!({ "services": services })
}

/// The word for a service's state: LocalStack's where it has one.
fn word(dispatch: &Dispatch, status: &ServiceStatus) -> &'static str {
    match &status.state {
        ServiceState::Stopped(_) if dispatch.is_disabled(status.id.name.as_str()) => "disabled",
        ServiceState::Stopped(Stopped::NeverStarted) => "available",
        ServiceState::Waiting => "starting",
        state => state.word(),
    }
}

async fn start(supervisor: &Supervisor, name: &str) -> Response {
    match supervisor.start(name).await {
        Ok(outcome) => {
            let outcome = match outcome {
                StartOutcome::Started => "started",
                StartOutcome::AlreadyRunning => "already running",
                StartOutcome::Joined => "joined",
                _ => "running",
            };
            let incarnation = supervisor.status(name).map(|status| status.incarnation);
            let outcome =
                json!({ "service": name, "outcome": outcome, "incarnation": incarnation });
            document(StatusCode::OK, &outcome)
        }
        Err(error) => start_refused(&error),
    }
}

async fn stop(dispatch: &Dispatch, supervisor: &Supervisor, name: &str) -> Response {
    if dispatch.own_name() == name {
        return supervisor
            .request_stop(name)
            .map_or_else(|e| stop_refused(&e), |()| accepted(name));
    }
    match supervisor.stop(name).await {
        Ok(report) => {
            let stopped: Vec<&str> = report.stopped().map(plux::Name::as_str).collect();
            let outcome = if stopped.is_empty() { "not running" } else { "stopped" };
            let outcome = json!({ "service": name, "outcome": outcome, "stopped": stopped });
            document(StatusCode::OK, &outcome)
        }
        Err(error) => stop_refused(&error),
    }
}

async fn restart(dispatch: &Dispatch, supervisor: &Supervisor, name: &str) -> Response {
    if dispatch.own_name() == name {
        return supervisor
            .request_restart(name)
            .map_or_else(|error| restart_refused(&error), |()| accepted(name));
    }
    match supervisor.restart(name).await {
        Ok(report) => {
            let dependents: Vec<&str> = report.dependents.iter().map(plux::Name::as_str).collect();
            let incarnation = supervisor.status(name).map(|status| status.incarnation);
            let outcome = json!({
                "service": name, "outcome": "restarted", "dependents": dependents,
                "incarnation": incarnation,
            });
            document(StatusCode::OK, &outcome)
        }
        Err(error) => restart_refused(&error),
    }
}

/// The answer to what the gateway was asked to do to itself.
fn accepted(name: &str) -> Response {
    document(StatusCode::ACCEPTED, &json!({ "service": name, "outcome": "accepted" }))
}

fn start_refused(error: &StartError) -> Response {
    match error {
        StartError::Unknown { near, .. } => {
            refuse(StatusCode::NOT_FOUND, &error.to_string(), &names(near))
        }
        StartError::Failed { .. } => {
            refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string(), &[])
        }
        _ => refuse(StatusCode::CONFLICT, &error.to_string(), &[]),
    }
}

fn restart_refused(error: &RestartError) -> Response {
    match error {
        RestartError::Start(error) => start_refused(error),
        _ => refuse(StatusCode::CONFLICT, &error.to_string(), &[]),
    }
}

fn stop_refused(error: &StopError) -> Response {
    match error {
        StopError::Unknown { near, .. } => {
            refuse(StatusCode::NOT_FOUND, &error.to_string(), &names(near))
        }
        _ => refuse(StatusCode::CONFLICT, &error.to_string(), &[]),
    }
}

fn names(near: &Near) -> Vec<&str> {
    near.0.iter().map(plux::Name::as_str).collect()
}

fn wrong_method(allowed: &'static str) -> Response {
    let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, &format!("use {allowed}"), &[]);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

fn refuse(status: StatusCode, error: &str, near: &[&str]) -> Response {
    document(status, &json!({ "error": error, "near": near }))
}

fn document(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(full(format!("{value}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
