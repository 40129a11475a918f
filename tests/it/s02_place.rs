//! An error about a service points at the place where that one was registered, and at no other.

use std::sync::Arc;

use plux::{BoxError, PluginManager, Service, ServiceContext, StartError, Supervisor};

#[plux::extension_point(namespace = "it.place", output = Arc<dyn Service>)]
trait Placed {}

#[plux::service(extension = dyn Placed, requires = ["broken"])]
async fn above(cx: ServiceContext) -> Result<(), BoxError> {
    cx.ready(());
    Ok(())
}

#[plux::service(extension = dyn Placed)]
async fn broken(_cx: ServiceContext) -> Result<(), BoxError> {
    Err("no".into())
}

#[tokio::test(start_paused = true)]
async fn s02_the_error_points_at_the_place_of_the_one_that_failed() {
    let manager = PluginManager::<dyn Placed>::builder(()).build();
    let places: Vec<_> = manager.specs().unwrap().iter().map(|spec| spec.origin()).collect();
    assert!(places[0].line < places[1].line);
    let supervisor = Supervisor::builder().manager(manager).build().unwrap();
    for name in ["above", "broken"] {
        let error = supervisor.start(name).await.unwrap_err();
        let place = format!("{}:{}", places[1].file, places[1].line);
        assert!(error.to_string().contains(&place), "{error}");
        let StartError::Failed { culprit, origin, .. } = error else { panic!("{error}") };
        assert_eq!((culprit.as_str(), origin), ("broken", places[1]));
    }
    let origins: Vec<_> = supervisor.list().iter().map(|service| service.origin).collect();
    assert_eq!(origins, places);
}
