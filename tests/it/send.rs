//! Futures that hold what is generic over an extension point can be spawned.

use std::future::Future;

use plux::{BoxError, PluginManager, extension_point};

#[extension_point(namespace = "test.send")]
trait Sent {}

async fn held_across_an_await(name: &str) -> Result<usize, BoxError> {
    let manager = PluginManager::<dyn Sent>::builder(()).build();
    let loaded = manager.load(name).await?;
    let report = manager.load_all().await;
    let again = manager.load(loaded.name().as_str()).await?;
    Ok(report.loaded().len() + again.name().as_str().len())
}

#[test]
fn p16_p18_a_future_that_holds_a_manager_is_send() {
    fn spawnable<F: Future + Send + 'static>(future: F) -> F {
        future
    }
    drop(spawnable(async { held_across_an_await("one").await }));
}
