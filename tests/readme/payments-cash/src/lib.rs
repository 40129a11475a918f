//! One type as two plugins: crate `payments-cash`, `src/lib.rs`.

use payments::{Payment, Shop};
use plux::BoxError;

struct Cash {
    what: &'static str,
}

#[plux::async_trait]
impl Payment for Cash {
    async fn load(&self, shop: &Shop) -> Result<String, BoxError> {
        Ok(format!("{} in {}", self.what, shop.currency))
    }
}

#[plux::plugin(extension = dyn Payment, wants = ["card"])]
fn coins() -> Cash {
    Cash { what: "coins" }
}

#[plux::plugin(extension = dyn Payment, name = "old-cheque")]
fn cheque() -> Cash {
    Cash { what: "cheques" }
}
