//! A load that can not move between threads.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin]
impl Point for A {
    async fn load(&self, _: &()) -> Result<(), plux::BoxError> {
        let one = std::rc::Rc::new(1);
        std::future::ready(()).await;
        drop(one);
        Ok(())
    }
}

fn main() {}
