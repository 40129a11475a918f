//! Services that share a fate, or a budget of restarts. Pure data.

use crate::restart::{GiveUp, Intensity};

/// Services of one supervisor that are restarted together, or that share a budget of restarts. A service
/// is in one group at most.
///
/// In a group that is one for all, the failure of one restarts all that are live: the others are told to
/// stop with [`StopReason::Group`](crate::StopReason::Group), none begins before all have ended, and all
/// wait for the delay of the one that failed. So does a restart of one by hand. Among them this goes
/// before what their edges say; temporary ones stop, and stay so. When one is given up, the others stop
/// with it.
///
/// The idea, and the names of the two strategies, are those of Erlang's supervisors.
///
/// ```
/// use std::time::Duration;
/// use plux::{FnService, GiveUp, Group, Intensity, PluginManager, Supervisor};
///
/// # fn main() -> Result<(), plux::BoxError> {
/// # #[plux::service]
/// # async fn index(cx: plux::ServiceContext) -> Result<(), plux::BoxError> { Ok(()) }
/// # #[plux::service]
/// # async fn journal(cx: plux::ServiceContext) -> Result<(), plux::BoxError> { Ok(()) }
/// let store = Group::one_for_all("store", ["index", "journal"])
///     .with_intensity(Intensity::new(3, Duration::from_secs(60)), GiveUp::Escalate);
/// let supervisor = Supervisor::builder()
///     .manager(PluginManager::<dyn FnService>::builder(()).build())
///     .group(store)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub(crate) name: String,
    pub(crate) members: Vec<String>,
    pub(crate) one_for_all: bool,
    pub(crate) intensity: Option<Intensity>,
    pub(crate) give_up: GiveUp,
}

impl Group {
    /// Services of which the failure of one restarts all.
    pub fn one_for_all<N: Into<String>>(
        name: impl Into<String>,
        members: impl IntoIterator<Item = N>,
    ) -> Self {
        let members = members.into_iter().map(Into::into).collect();
        let (intensity, give_up) = (None, GiveUp::Fail);
        Self { name: name.into(), members, one_for_all: true, intensity, give_up }
    }

    /// Services of which each is restarted alone; what they share is the group's intensity.
    pub fn one_for_one<N: Into<String>>(
        name: impl Into<String>,
        members: impl IntoIterator<Item = N>,
    ) -> Self {
        Self { one_for_all: false, ..Self::one_for_all(name, members) }
    }

    /// Lets the members need so many restarts by themselves, all together, beside what each of them may
    /// need; the member that needs one more is given up, and `then` says what that means. Without it
    /// the group has no budget.
    #[must_use]
    pub fn with_intensity(mut self, intensity: Intensity, then: GiveUp) -> Self {
        (self.intensity, self.give_up) = (Some(intensity), then);
        self
    }
}
