//! Services come and go while the supervisor runs: one for each tenant that is there.
//!
//! The trap: a manager is added whole, and it goes with the last of its services. What can go by itself
//! comes in a manager of its own.

use std::sync::Arc;

use plux::{
    AddError, BoxError, Dependency, DependencyKind, ListFinder, Name, Namespace, PluginManager,
    PluginSpec, Service, ServiceContext, Supervisor,
};

const TENANTS: Namespace = Namespace::literal("example.tenants");
const LEDGER: Dependency =
    Dependency::literal(DependencyKind::Requires, Some("plux.services"), "ledger");

/// What all tenants require is linked, and there from the beginning.
#[plux::service]
async fn ledger(cx: ServiceContext) -> Result<(), BoxError> {
    cx.ready(());
    cx.stopping().await;
    Ok(())
}

#[plux::extension_point(namespace = "example.tenants", output = Tenant)]
trait Opens {}

#[derive(Clone, Copy)]
struct Tenant(&'static str);

#[plux::async_trait]
impl Opens for Tenant {
    async fn load(&self, (): &()) -> Result<Tenant, BoxError> {
        Ok(*self)
    }
}

#[plux::async_trait]
impl Service for Tenant {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        cx.ready(());
        println!("{} is open", self.0);
        println!("{} closes ({})", self.0, cx.stopping().await);
        Ok(())
    }
}

async fn open(supervisor: &Supervisor, tenant: &'static str) -> Result<Vec<Name>, AddError> {
    let make = || Ok(Arc::new(Tenant(tenant)) as Arc<dyn Opens>);
    let spec = PluginSpec::new(TENANTS, Name::literal(tenant), make).with_dependency(LEDGER);
    let finder = ListFinder::new([spec]);
    supervisor.add(PluginManager::<dyn Opens>::builder(()).finder(finder).build()).await
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let services = PluginManager::<dyn plux::FnService>::builder(()).build();
    let supervisor = Supervisor::builder().manager(services).build()?;
    open(&supervisor, "acme").await?;
    supervisor.start("acme").await?;
    println!("again: {:?}", open(&supervisor, "acme").await);
    println!("too early: {:?}", supervisor.remove("acme").await);
    supervisor.stop("acme").await?;
    supervisor.remove("acme").await?;
    assert!(supervisor.status("acme").is_none());
    print!("{}", supervisor.shutdown().await?);
    Ok(())
}
