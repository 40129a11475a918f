//! What makes a service one of AWS: how a request names it, how it is called, how errors look.

mod catalog;
mod endpoint;
mod protocol;
mod target;

use std::sync::Arc;

use plux::{Namespace, Service};

pub use catalog::{KNOWN, Known};
pub use endpoint::{Body, CallError, Calls, Endpoint, Request, Response, full};
pub use protocol::{Fault, Protocol};
pub use target::Target;

use crate::Cloud;

/// The namespace of the AWS services.
pub const AWS: Namespace = Namespace::literal("aws.services");

/// The contract of an AWS service: loading it yields a service that publishes an [`Endpoint`].
///
/// The plugin's name is the service's, as in the AWS command line. Whether it may start is asked of
/// the cloud: `should_load` answers [`Cloud::enabled`].
#[plux::extension_point(namespace = "aws.services", context = Cloud, output = Arc<dyn Service>)]
pub trait AwsService {}
