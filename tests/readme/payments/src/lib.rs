//! The contract: crate `payments`, `src/lib.rs`.

/// What every payment is given when it is loaded.
pub struct Shop {
    /// What it is paid in.
    pub currency: &'static str,
}

/// A way to pay. Its namespace, what a load is given and what it yields stand at the trait.
#[plux::extension_point(namespace = "shop.payments", context = Shop, output = String)]
pub trait Payment {
    /// What it costs, in percent.
    fn fee(&self) -> u32 {
        0
    }
}
