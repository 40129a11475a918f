//! Tasks that are spawned by destructors while the runtime ends.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use plux::ServiceContext;

use crate::kit::{Do, Kit, Probe};

/// Says goodbye in a task of the service's.
struct Polite {
    cx: ServiceContext,
    depth: usize,
}

impl Drop for Polite {
    fn drop(&mut self) {
        if let Some(depth) = self.depth.checked_sub(1) {
            let kept = Self { cx: self.cx.clone(), depth };
            self.cx.spawn(async move {
                let _kept = kept;
                std::future::pending::<()>().await;
            });
        }
    }
}

#[test]
fn c02_s11_a_destructor_may_spawn_while_the_runtime_ends() {
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let a = Probe::new("a").begin([
            Do::Ready,
            Do::call(|cx| async move {
                let _polite = Polite { cx, depth: 2 };
                std::future::pending::<()>().await;
            }),
        ]);
        let kit = Kit::new([&a]);
        runtime.block_on(async { kit.supervisor.start("a").await }).unwrap();
        drop(runtime);
        let _ = done.send(());
    });
    ended.recv_timeout(Duration::from_secs(10)).expect("the runtime ends");
}
