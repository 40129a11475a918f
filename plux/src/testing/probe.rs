//! A plugin and its service that do what a script says.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::player::Player;
use super::recorder::Recorder;
use super::script::{Script, When};
use super::scripted::Scripted;
use super::step::{Seam, Step};
use crate::error::BoxError;
use crate::finder::ListFinder;
use crate::manager::PluginManager;
use crate::name::{Name, Namespace};
use crate::options::ServiceOptions;
use crate::origin::Origin;
use crate::restart::Reaction;
use crate::spec::{Dependency, DependencyKind, PluginSpec};

/// A scripted plugin and its service. Unless told otherwise it loads, is ready at once, and ends when
/// it is told to stop.
///
/// Each method takes the turns it speaks of, `1`, `2..`, `2..=3` or `..`, and what is done then; of
/// several that speak of a turn the last counts. The turns of a run are its incarnations; those of the
/// factory, of `should_load` and of `load` are counted by themselves, because a restart does not load
/// again.
///
/// ```
/// use std::time::Duration;
/// use plux::testing::{Probe, Step};
///
/// const SECOND: Duration = Duration::from_secs(1);
///
/// // Fails after its first second, is slow to come back, and then takes two seconds to stop.
/// let db = Probe::new("db")
///     .run(1, [Step::Ready, Step::Sleep(SECOND), Step::Fail("the disk is full")])
///     .run(2.., [Step::Sleep(3 * SECOND), Step::Ready])
///     .on_stop(.., [Step::Sleep(2 * SECOND)]);
/// ```
#[derive(Clone)]
pub struct Probe {
    name: Name,
    origin: Origin,
    dependencies: Vec<Dependency>,
    options: ServiceOptions,
    script: Script,
}

impl Probe {
    /// One that does what is expected of it.
    ///
    /// # Panics
    /// When the name is not valid.
    #[track_caller]
    pub fn new(name: &str) -> Self {
        Self {
            name: valid(name),
            origin: here(Location::caller()),
            dependencies: Vec::new(),
            options: ServiceOptions::NONE,
            script: Script::default(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Has it require another probe.
    ///
    /// # Panics
    /// When the name is not valid. So do the two that follow.
    #[must_use]
    #[track_caller]
    pub fn requires(self, name: &str) -> Self {
        self.depends(DependencyKind::Requires, name, None)
    }

    /// Has it require another probe, and says what the end of that does to it.
    #[must_use]
    #[track_caller]
    pub fn requires_to(self, reaction: Reaction, name: &str) -> Self {
        self.depends(DependencyKind::Requires, name, Some(reaction))
    }

    /// Has it want another probe.
    #[must_use]
    #[track_caller]
    pub fn wants(self, name: &str) -> Self {
        self.depends(DependencyKind::Wants, name, None)
    }

    /// Has it come after another probe.
    #[must_use]
    #[track_caller]
    pub fn after(self, name: &str) -> Self {
        self.depends(DependencyKind::After, name, None)
    }

    #[track_caller]
    fn depends(mut self, kind: DependencyKind, name: &str, reaction: Option<Reaction>) -> Self {
        self.dependencies.push(Dependency { kind, namespace: None, name: valid(name), reaction });
        self
    }

    /// Sets what a supervisor should know of it.
    #[must_use]
    pub fn options(mut self, options: ServiceOptions) -> Self {
        self.options = options;
        self
    }

    /// What its factory does.
    ///
    /// # Panics
    /// When a step makes no sense there, or can not be reached, or there is no such turn. So do the
    /// others that take steps.
    #[must_use]
    #[track_caller]
    pub fn factory(self, when: impl Into<When>, steps: impl IntoIterator<Item = Step>) -> Self {
        self.rule(Seam::Factory, when, steps)
    }

    /// What its `should_load` does.
    #[must_use]
    #[track_caller]
    pub fn should_load(self, when: impl Into<When>, steps: impl IntoIterator<Item = Step>) -> Self {
        self.rule(Seam::ShouldLoad, when, steps)
    }

    /// What its `load` does.
    #[must_use]
    #[track_caller]
    pub fn load(self, when: impl Into<When>, steps: impl IntoIterator<Item = Step>) -> Self {
        self.rule(Seam::Load, when, steps)
    }

    /// What a run does until it is told to stop. The signal drops the step that is under way. When no
    /// step is left, the run waits for the signal.
    #[must_use]
    #[track_caller]
    pub fn run(self, when: impl Into<When>, steps: impl IntoIterator<Item = Step>) -> Self {
        self.rule(Seam::Run, when, steps)
    }

    /// What a run does once it was told to stop; when no step is left, it completes.
    #[must_use]
    #[track_caller]
    pub fn on_stop(self, when: impl Into<When>, steps: impl IntoIterator<Item = Step>) -> Self {
        self.rule(Seam::OnStop, when, steps)
    }

    /// What a run's destructor does. One that would panic while a panic is under way does not.
    #[must_use]
    #[track_caller]
    pub fn destructor(self, when: impl Into<When>, steps: impl IntoIterator<Item = Step>) -> Self {
        self.rule(Seam::Destructor, when, steps)
    }

    #[track_caller]
    fn rule(
        mut self,
        seam: Seam,
        when: impl Into<When>,
        steps: impl IntoIterator<Item = Step>,
    ) -> Self {
        match self.script.add(seam, when.into(), steps.into_iter().collect()) {
            Ok(()) => self,
            Err(wrong) => panic!("the script of `{}` makes no sense: {wrong}", self.name),
        }
    }

    /// The spec of its plugin, for a finder of one's own.
    pub fn spec(&self, recorder: &Recorder) -> PluginSpec {
        let player = Player::new(self.name.as_str().into(), self.script.clone(), recorder.clone());
        let make = move || -> Result<Arc<dyn Scripted>, BoxError> {
            player.make()?;
            Ok(Arc::new(player.clone()))
        };
        let namespace = Namespace::literal("plux.testing");
        let spec = PluginSpec::new::<dyn Scripted>(namespace, self.name.clone(), make);
        let spec = self.dependencies.iter().cloned().fold(spec, PluginSpec::with_dependency);
        spec.with_service(self.options).with_origin(self.origin)
    }

    /// A manager of these.
    pub fn manager(
        probes: impl IntoIterator<Item = Self>,
        recorder: &Recorder,
    ) -> PluginManager<dyn Scripted> {
        let specs = probes.into_iter().map(|probe| probe.spec(recorder));
        PluginManager::<dyn Scripted>::builder(()).finder(ListFinder::new(specs)).build()
    }

    pub(super) fn parts(&self) -> (&[Dependency], ServiceOptions, &Script) {
        (&self.dependencies, self.options, &self.script)
    }
}

/// A place as an origin.
pub(super) fn here(place: &Location<'static>) -> Origin {
    Origin::new("", "", "", place.file(), place.line())
}

/// The name, which a test has written down.
#[track_caller]
pub(super) fn valid(name: &str) -> Name {
    match Name::new(name) {
        Ok(name) => name,
        Err(error) => panic!("{error}"),
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe")
            .field("name", &self.name)
            .field("dependencies", &self.dependencies)
            .field("script", &self.script)
            .finish_non_exhaustive()
    }
}
