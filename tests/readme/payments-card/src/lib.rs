//! A type as a plugin: crate `payments-card`, `src/lib.rs`.

use payments::{Payment, Shop};
use plux::BoxError;

#[derive(Default)]
struct Card;

#[plux::plugin]
impl Payment for Card {
    fn fee(&self) -> u32 {
        2
    }

    async fn load(&self, shop: &Shop) -> Result<String, BoxError> {
        Ok(format!("cards in {}", shop.currency))
    }
}
