//! Others that keep services running, behind the feature `peers`.

mod otp;
mod ractor;
mod task_supervisor;
mod taskvisor;
mod tokio_graceful_shutdown;

pub use otp::{figure, installed, time};
pub use ractor::Ractor;
pub use task_supervisor::TaskSupervisor;
pub use taskvisor::{Taskvisor, TaskvisorEmpty};
pub use tokio_graceful_shutdown::{TokioGracefulShutdown, by_name};
