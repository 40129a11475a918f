//! User code that makes and loads a service, and refuses it, calls the supervisor that waits for it.

use std::sync::{Arc, OnceLock};

use plux::{
    BoxError, Disabled, ListFinder, Name, Namespace, PluginFilter, PluginManager, PluginSpec,
    Service, ServiceContext, StartOutcome, StopError, Supervisor, WeakSupervisor,
};
use tokio::time::timeout;

use crate::kit::{Log, SECOND, settle};

/// The supervisor that everybody here calls.
#[derive(Clone, Default)]
pub(crate) struct Host {
    supervisor: Arc<OnceLock<WeakSupervisor>>,
    log: Log,
}

impl Host {
    /// Looks, and asks for what it does not wait for.
    fn look(&self, from: &str) {
        let supervisor = self.supervisor.get().unwrap().upgrade().unwrap();
        assert_eq!(supervisor.list().len(), 2);
        let state = supervisor.status("a").unwrap().state;
        supervisor.request_restart("other").unwrap();
        supervisor.request_stop("nobody").unwrap_err();
        self.log.add(format!("{from}: {state}"));
    }
}

#[plux::extension_point(namespace = "it.loads", context = Host, output = Arc<dyn Service>)]
pub(crate) trait Asks {}

struct A;

#[plux::async_trait]
impl Asks for A {
    async fn should_load(&self, host: &Host) -> Result<bool, BoxError> {
        host.look("should_load");
        Ok(true)
    }

    async fn load(&self, host: &Host) -> Result<Arc<dyn Service>, BoxError> {
        host.look("load");
        // It waits for others, which is no waiting for itself.
        let supervisor = host.supervisor.get().unwrap().upgrade().unwrap();
        let started = supervisor.start("other").await.unwrap();
        assert!(matches!(started, StartOutcome::AlreadyRunning | StartOutcome::Joined));
        let error = supervisor.wait("nobody").await.unwrap_err();
        assert!(matches!(error, StopError::Unknown { .. }), "{error}");
        Ok(Arc::new(Runs))
    }
}

struct Other;

#[plux::async_trait]
impl Asks for Other {
    async fn load(&self, _: &Host) -> Result<Arc<dyn Service>, BoxError> {
        Ok(Arc::new(Runs))
    }
}

struct Runs;

#[plux::async_trait]
impl Service for Runs {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        cx.ready(());
        cx.stopping().await;
        Ok(())
    }
}

struct Filters(Host);

impl PluginFilter<dyn Asks> for Filters {
    fn before_init(&self, spec: &PluginSpec) -> Result<(), Disabled> {
        if *spec.name() == *"a" {
            self.0.look("before_init");
        }
        Ok(())
    }

    fn before_load(&self, spec: &PluginSpec, _: &dyn Asks) -> Result<(), Disabled> {
        if *spec.name() == *"a" {
            self.0.look("before_load");
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn c02_filters_factory_and_load_may_ask_and_look_while_the_start_waits_for_them() {
    let host = Host::default();
    let made = host.clone();
    let spec = |name, make| {
        let namespace = Namespace::literal("it.loads");
        PluginSpec::new::<dyn Asks>(namespace, Name::literal(name), make)
    };
    type Make = Box<dyn Fn() -> Result<Arc<dyn Asks>, BoxError> + Send + Sync>;
    let make_a: Make = Box::new(move || {
        made.look("factory");
        Ok(Arc::new(A))
    });
    let make_other: Make = Box::new(|| Ok(Arc::new(Other)));
    let specs = [spec("a", make_a), spec("other", make_other)];
    let manager = PluginManager::<dyn Asks>::builder(host.clone())
        .finder(ListFinder::new(specs))
        .filter(Filters(host.clone()))
        .build();
    let supervisor = Supervisor::builder().manager(manager).build().unwrap();
    host.supervisor.set(supervisor.downgrade()).unwrap();
    supervisor.start("other").await.unwrap();
    timeout(SECOND, supervisor.start("a")).await.expect("it hangs").unwrap();
    settle().await;
    let seen = ["before_init", "factory", "before_load", "should_load", "load"];
    assert_eq!(host.log.lines(), seen.map(|from| format!("{from}: starting")));
    assert!(supervisor.status("other").unwrap().incarnation >= 2);
    assert!(supervisor.shutdown().await.unwrap().is_clean());
}
