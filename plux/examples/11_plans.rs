//! What a start would do, before it does: as text, as a graph for Graphviz, and as JSON.
//!
//! The trap: a plan is of the moment. It says what there is to do now; once `api` runs, the longest chain
//! of a start of `web` is `web` alone.

use plux::{BoxError, FnService, PlanReason, PluginManager, ServiceContext, Supervisor};

async fn serve(cx: ServiceContext) -> Result<(), BoxError> {
    cx.ready(());
    cx.stopping().await;
    Ok(())
}

#[plux::service]
async fn disk(cx: ServiceContext) -> Result<(), BoxError> {
    serve(cx).await
}

#[plux::service(requires = ["disk"])]
async fn store(cx: ServiceContext) -> Result<(), BoxError> {
    serve(cx).await
}

#[plux::service]
async fn cache(cx: ServiceContext) -> Result<(), BoxError> {
    serve(cx).await
}

#[plux::service(requires = ["store"], wants = ["cache"])]
async fn api(cx: ServiceContext) -> Result<(), BoxError> {
    serve(cx).await
}

#[plux::service(requires = ["api"])]
async fn web(cx: ServiceContext) -> Result<(), BoxError> {
    serve(cx).await
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let services = PluginManager::<dyn FnService>::builder(()).build();
    let supervisor = Supervisor::builder().manager(services).build()?;

    let plan = supervisor.plan_start("web")?;
    print!("{plan}");
    println!("longest chain: {:?}\n", plan.critical_path);
    assert_eq!(plan.critical_path, ["disk", "store", "api", "web"]);
    assert_eq!(plan.steps[0].name, "cache");
    assert!(matches!(&plan.steps[0].reason, PlanReason::WantedBy(name) if *name == *"api"));
    assert!(supervisor.list().iter().all(|service| service.incarnation == 0), "nothing has run");

    // `… | dot -Tsvg` draws it.
    println!("{}", plan.to_dot());
    assert!(plan.to_dot().contains(r#""cache" -> "api" [style=dashed];"#));

    supervisor.start("api").await?;
    let rest = supervisor.plan_start("web")?;
    println!("{}\n", rest.to_json());
    assert_eq!(rest.critical_path, ["web"]);
    assert!(rest.to_json().contains(r#""critical_path":["web"]"#));

    // A stop goes the other way, and takes along what requires it.
    let stop = supervisor.plan_stop("store")?;
    print!("{stop}");
    assert_eq!(stop.critical_path, ["api", "store"]);
    assert!(supervisor.shutdown().await?.is_clean());
    Ok(())
}
