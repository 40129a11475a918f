//! One contract, one plugin, one load.
//!
//! The trap: the trait carries the namespace, so the plugin does not say it again; a plugin for the
//! wrong trait does not compile.

use plux::{BoxError, PluginManager};

/// What every load of the namespace is given.
pub struct Shop {
    currency: &'static str,
}

/// The contract: the namespace, what a load is given, what it yields.
#[plux::extension_point(namespace = "example.payments", context = Shop, output = String)]
pub trait Payment {
    /// The fee, in cents. Methods of your own are called on the loaded plugin.
    fn fee(&self) -> u32 {
        0
    }
}

#[derive(Default)]
struct Card;

#[plux::plugin(name = "card")]
impl Payment for Card {
    fn fee(&self) -> u32 {
        30
    }

    async fn load(&self, shop: &Shop) -> Result<String, BoxError> {
        Ok(format!("cards in {}", shop.currency))
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let manager = PluginManager::<dyn Payment>::builder(Shop { currency: "EUR" }).build();
    println!("registered: {:?}", manager.names()?);

    let card = manager.load("card").await?;
    println!("loaded: {}, for a fee of {} cents", card.output(), card.plugin().fee());
    assert_eq!(card.output(), "cards in EUR");

    // A name that is not there says which ones are like it.
    let error = manager.load("cart").await.err().ok_or("there is no such plugin")?;
    println!("{error}");
    assert!(error.to_string().contains("`card`"));
    Ok(())
}
