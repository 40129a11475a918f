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

#[derive(Clone)]
struct Tenant(String);

#[plux::async_trait]
impl Opens for Tenant {
    async fn load(&self, (): &()) -> Result<Tenant, BoxError> {
        Ok(self.clone())
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

async fn open(supervisor: &Supervisor, tenant: &str) -> Result<Vec<Name>, AddError> {
    let own = Tenant(tenant.to_owned());
    let make = move || Ok(Arc::new(own.clone()) as Arc<dyn Opens>);
    let name = Name::new(tenant).expect("a tenant's name is valid");
    let spec = PluginSpec::new(TENANTS, name, make).with_dependency(LEDGER);
    let finder = ListFinder::new([spec]);
    supervisor.add(PluginManager::<dyn Opens>::builder(()).finder(finder).build()).await
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let services = PluginManager::<dyn plux::FnService>::builder(()).build();
    let supervisor = Supervisor::builder().manager(services).build()?;
    open(&supervisor, "acme").await?;
    supervisor.start("acme").await?;
    println!("{}", open(&supervisor, "acme").await.unwrap_err());
    println!("{}", supervisor.remove("acme").await.unwrap_err());
    supervisor.stop("acme").await?;
    supervisor.remove("acme").await?;
    assert!(supervisor.status("acme").is_none());
    print!("{}", supervisor.shutdown().await?);
    Ok(())
}
