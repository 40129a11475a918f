//! One type as two plugins: crate `payments-cash`, `src/lib.rs`.

use payments::{Payment, Shop};
use plux::BoxError;

struct Cash {
    what: &'static str,
}

// Where `#[plux::plugin]` does not stand on the impl, this makes its functions async.
#[plux::async_trait]
impl Payment for Cash {
    async fn load(&self, shop: &Shop) -> Result<String, BoxError> {
        Ok(format!("{} in {}", self.what, shop.currency))
    }
}

// Loaded after `card`, and skipped where that is not loaded. With `wants` it would only wait for it.
#[plux::plugin(extension = dyn Payment, requires = ["card"])]
fn coins() -> Cash {
    Cash { what: "coins" }
}

#[plux::plugin(extension = dyn Payment, name = "old-cheque")]
fn cheque() -> Cash {
    Cash { what: "cheques" }
}
