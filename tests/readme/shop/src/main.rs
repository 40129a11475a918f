//! The host: crate `shop`, `src/main.rs`.

use payments::{Payment, Shop};
use plux::{BoxError, FilterRule, PluginManager};

// Without this line the linker drops both crates, and nothing is found.
plux::link!(payments_card, payments_cash);

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let manager = PluginManager::<dyn Payment>::builder(Shop { currency: "EUR" })
        .filter(FilterRule::builder().name("old-*").build()?)
        .build();
    println!("registered: {:?}", manager.names()?);

    let report = manager.load_all().await;
    println!("{report}");
    for payment in report.loaded() {
        println!("{}: {}, {} %", payment.name(), payment.output(), payment.plugin().fee());
    }

    // One by name: it is loaded already, so this is the same instance.
    assert_eq!(manager.load("card").await?.output(), "cards in EUR");
    Ok(())
}
