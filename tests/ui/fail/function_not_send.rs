//! A function that can not move between threads.

#[plux::plugin(namespace = "ui.functions")]
async fn show() {
    let one = std::rc::Rc::new(1);
    std::future::ready(()).await;
    drop(one);
}

fn main() {}
