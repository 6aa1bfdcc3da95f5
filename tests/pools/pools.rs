//! Executors as schedulers: tokio's, smol's, rayon's, and threads behind one channel.

use async_executor::Executor;
use futures_lite::future::block_on;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use whendone::{Inline, Ready, Schedule};

/// Calls `test` with a scheduler over each pool, of this many threads, and with the pool's name.
pub fn on_each_pool(threads: usize, mut test: impl FnMut(&str, Arc<dyn Schedule>)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).build().unwrap();
    let handle = runtime.handle().clone();
    test(
        "tokio",
        Arc::new(move |ready: Ready| {
            handle.spawn(async { ready.run() });
            Ok(())
        }),
    );
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap());
    let shared = pool.clone();
    test(
        "rayon",
        Arc::new(move |ready: Ready| {
            shared.spawn(|| ready.run());
            Ok(())
        }),
    );
    test("smol", Arc::new(smol(threads)));
    test("plain", Arc::new(plain(threads)));
}

/// The executor of smol, and threads that run it until the scheduler is gone.
fn smol(threads: usize) -> impl Schedule {
    let executor = Arc::new(Executor::new());
    let (running, stop) = whendone::task::<()>(Inline);
    for _ in 0..threads {
        let (executor, stop) = (executor.clone(), stop.clone());
        thread::spawn(move || block_on(executor.run(async move { drop(stop.await) })));
    }
    move |ready: Ready| {
        let _abandoned_at_the_end = &running;
        executor.spawn(async { ready.run() }).detach();
        Ok(())
    }
}

/// Threads that take callbacks from one channel, until its sender is gone.
fn plain(threads: usize) -> impl Schedule {
    let (sender, receiver) = mpsc::channel::<Ready>();
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..threads {
        let receiver = receiver.clone();
        thread::spawn(move || {
            loop {
                let next = receiver.lock().unwrap().recv();
                let Ok(ready) = next else { break };
                ready.run();
            }
        });
    }
    move |ready| sender.send(ready).map_err(|refused| refused.0)
}
