//! Functions as plugins: loaded in the order of what they require, called as often as one likes.
//!
//! The trap: a load does not call the function, and a namespace of functions has no trait that says it.
//! The manager is told the namespace, and `FnPlugin<T, R>` of what type all functions of it are.

use plux::{BoxError, FnPlugin, Namespace, PluginManager};

/// What the functions are given.
pub struct Order {
    cents: u32,
    country: &'static str,
}

#[plux::plugin(namespace = "example.prices")]
fn goods(order: &Order) -> u32 {
    order.cents
}

#[plux::plugin(namespace = "example.prices", requires = ["goods"])]
async fn shipping(order: &Order) -> Result<u32, BoxError> {
    match order.country {
        "IT" => Ok(500),
        "FR" => Ok(900),
        other => Err(format!("nothing is sent to {other}").into()),
    }
}

#[plux::plugin(namespace = "example.prices", should_load = is_christmas)]
fn gift(_: &Order) -> u32 {
    200
}

/// Asked when `gift` is to be loaded; `false` disables it.
async fn is_christmas() -> Result<bool, BoxError> {
    Ok(false)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let namespace = Namespace::literal("example.prices");
    let prices = PluginManager::<dyn FnPlugin<Order, u32>>::functions(namespace).build();
    let report = prices.load_all().await;
    println!("{report}");

    let mut total = 0;
    for price in report.loaded() {
        let cents = price.plugin().call(&Order { cents: 1000, country: "IT" }).await?;
        println!("{}: {cents}", price.name());
        total += cents;
    }
    assert_eq!(total, 1500);

    // An error of a call is the caller's; the plugin stays loaded.
    let shipping = prices.load("shipping").await?;
    let error = shipping.plugin().call(&Order { cents: 1000, country: "AQ" }).await.err();
    assert_eq!(error.ok_or("it was sent")?.to_string(), "nothing is sent to AQ");
    Ok(())
}
