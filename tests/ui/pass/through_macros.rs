//! Literals and types that come through `macro_rules!`, which wraps them in groups.

use std::sync::Arc;

use plux::{BoxError, Service, ServiceContext};

macro_rules! everything {
    ($namespace:literal, $name:literal, $other:literal, $time:literal, $context:ty, $point:ty, $output:ty, $edge:expr) => {
        #[plux::extension_point(namespace = $namespace, context = $context, output = $output)]
        pub trait Point {}

        #[plux::service(
                                                                    extension = $point,
                                                                    name = $name,
                                                                    requires = [$other, "x", keep($name), $edge],
                                                                    grace_period = $time,
                                                                    start_timeout = $time
                                                                )]
        async fn service(cx: ServiceContext, _: &$context) -> Result<(), BoxError> {
            cx.ready(());
            Ok(())
        }
    };
}

everything!("ui.macros", "a-b", "ns:c", "2s", u8, dyn Point, Arc<dyn Service>, stop("z"));

macro_rules! by_expression {
    ($name:expr, $type:ident, $error:ty) => {
        #[derive(Default)]
        struct $type;

        #[plux::plugin(name = $name)]
        impl Unit for $type {
            async fn load(&self, _: &()) -> Result<(), $error> {
                Ok(())
            }
        }
    };
}

#[plux::extension_point(namespace = "ui.macros.unit")]
trait Unit {}

by_expression!("by-expression", Typed, BoxError);

macro_rules! by_type {
    ($function:ident, $made:ty, $reference:ty) => {
        #[plux::plugin(extension = dyn Unit)]
        fn $function() -> $made {
            "1".parse::<u8>().map(|_| Typed)
        }

        #[plux::service]
        async fn by_reference(cx: ServiceContext, _: $reference) -> Result<(), BoxError> {
            cx.ready(());
            Ok(())
        }
    };
}

by_type!(by_result, Result<Typed, std::num::ParseIntError>, &());

macro_rules! by_contract {
    ($trait:ident, $unit:ty) => {
        /// Its `load` has a default, because the output is `()`.
        #[plux::extension_point(namespace = "ui.macros.contract", output = $unit)]
        pub trait $trait {}

        #[plux::plugin]
        impl $trait for Typed {}
    };
}

by_contract!(Contract, ());

macro_rules! by_function {
    ($namespace:literal, $hook:path, $argument:ty, $reference:ty, $result:ty) => {
        #[plux::plugin(namespace = $namespace, should_load = $hook)]
        fn takes(_: &$argument) -> $result {
            "1".parse()
        }

        #[plux::plugin(namespace = $namespace)]
        async fn takes_a_reference(_: $reference) -> $result {
            "1".parse()
        }
    };
}

by_function!("ui.macros.functions", crate::through_macros::wanted, str, &str, Result<u8, std::num::ParseIntError>);

async fn wanted() -> Result<bool, BoxError> {
    Ok(true)
}
