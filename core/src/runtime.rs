//! The threads that the core works on. A shell's call is polled on the shell's own thread, so everything
//! that takes time runs here instead. Not here: any work itself.

use renraku_media::Cancel;
use std::future::Future;
use std::sync::{Condvar, Mutex, Once, OnceLock, PoisonError};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Why work did not finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The threads could not be started.
    #[error("no threads to work on")]
    NoThreads,
    /// The work panicked. That is a fault of ours.
    #[error("the work broke off")]
    BrokeOff,
}

/// Runs a future on the core's own threads. Dropping the call drops the work.
///
/// # Errors
/// [`RunError`] when there are no threads, or the work panicked.
pub async fn run<F>(work: F) -> Result<F::Output, RunError>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut task = Task(runtime()?.spawn(work));
    (&mut task.0).await.map_err(|_| RunError::BrokeOff)
}

/// Runs blocking work (files, the vault, a picture) on the threads kept for that.
///
/// # Errors
/// [`RunError`] when there are no threads, or the work panicked.
pub async fn block<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, RunError> {
    runtime()?.spawn_blocking(work).await.map_err(|_| RunError::BrokeOff)
}

/// How often a flag is looked at that cannot wake anybody.
const LOOK: std::time::Duration = std::time::Duration::from_millis(50);

/// Does work that waits, until it is done or, within 50 ms, somebody asked to stop: then it is dropped, and there is
/// none.
pub async fn unless_cancelled<F: Future>(work: F, cancel: &Cancel) -> Option<F::Output> {
    tokio::select! {
        biased;
        () = asked(cancel) => None,
        done = work => Some(done),
    }
}

/// Runs a future as [`run`] does, until somebody asks to stop: then there is none, within 50 ms. Work that blocks its
/// thread just then, as a chip that signs does, is not waited for: it is dropped as soon as it lets go of it.
///
/// # Errors
/// As [`run`].
pub async fn run_until<F>(work: F, cancel: Cancel) -> Result<Option<F::Output>, RunError>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    // Two tasks: who looks at the flag is not who blocks.
    run(async move { unless_cancelled(run(work), &cancel).await.transpose() }).await?
}

/// Frees something on the threads kept for what blocks: the last one who holds a store closes its file, and whoever
/// that is, it is not the caller's thread.
pub fn let_go<T: Send + 'static>(what: T) {
    // Counted from here on: the end of the process waits for it although its thread has not begun.
    let (Some(busy), Ok(runtime)) = (Busy::begin(), runtime()) else { return std::mem::forget(what) };
    runtime.spawn_blocking(move || {
        drop(what);
        drop(busy);
    });
}

/// Somebody at work with SQLCipher, which gives back at the end of the process what it works with, under whoever is
/// at work then: that end waits for them, and nobody begins any more.
pub(crate) struct Busy(());

struct Work {
    under_way: usize,
    is_over: bool,
}

static WORK: (Mutex<Work>, Condvar) = (Mutex::new(Work { under_way: 0, is_over: false }), Condvar::new());

impl Busy {
    /// Longest that the end of a process is held up.
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

    /// None when the process is about to end.
    pub(crate) fn begin() -> Option<Self> {
        let mut work = WORK.0.lock().unwrap_or_else(PoisonError::into_inner);
        if work.is_over {
            return None;
        }
        work.under_way += 1;
        Some(Self(()))
    }

    extern "C" fn wait() {
        let mut work = WORK.0.lock().unwrap_or_else(PoisonError::into_inner);
        work.is_over = true;
        let _ = WORK.1.wait_timeout_while(work, Self::PATIENCE, |work| work.under_way > 0);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        WORK.0.lock().unwrap_or_else(PoisonError::into_inner).under_way -= 1;
        WORK.1.notify_all();
    }
}

/// Lets the end of the process wait for who is at work. What is asked for later comes first there, so ask after
/// SQLCipher has begun.
pub(crate) fn wait_at_the_end() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[expect(
            unsafe_code,
            reason = "the C library's list of what comes at the end; the function captures nothing"
        )]
        let listed = unsafe { libc::atexit(Busy::wait) };
        // Where the list is full nobody waits.
        let _ = listed;
    });
}

/// Waits until somebody asks to stop.
pub(crate) async fn asked(cancel: &Cancel) {
    while !cancel.is_cancelled() {
        tokio::time::sleep(LOOK).await;
    }
}

struct Task<R>(JoinHandle<R>);

impl<R> Drop for Task<R> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn runtime() -> Result<&'static Runtime, RunError> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let make = || {
        let threads = std::thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 4));
        Builder::new_multi_thread().worker_threads(threads).thread_name("renraku").enable_all().build().ok()
    };
    RUNTIME.get_or_init(make).as_ref().ok_or(RunError::NoThreads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    #[tokio::test]
    async fn work_leaves_the_callers_thread() {
        let here = std::thread::current().id();
        let there = run(async { std::thread::current().id() }).await.unwrap();
        assert_ne!(here, there);
    }

    #[tokio::test]
    async fn dropping_the_call_drops_the_work() {
        struct Told(Arc<AtomicBool>);
        impl Drop for Told {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let dropped = Arc::new(AtomicBool::new(false));
        let told = Told(dropped.clone());
        let call = run(async move {
            let _told = told;
            std::future::pending::<()>().await;
        });
        assert!(tokio::time::timeout(Duration::from_millis(50), call).await.is_err());
        for _ in 0..100 {
            if dropped.load(Ordering::SeqCst) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the work went on");
    }

    #[tokio::test]
    async fn a_call_is_left_even_while_its_work_blocks() {
        let cancel = Cancel::new();
        let asked = Arc::new(AtomicBool::new(false));
        let call = run_until(
            {
                let (cancel, asked) = (cancel.clone(), asked.clone());
                async move {
                    cancel.cancel();
                    // As the handshake does while a chip signs.
                    tokio::task::block_in_place(|| {
                        while !asked.load(Ordering::SeqCst) {
                            std::thread::sleep(Duration::from_millis(5));
                        }
                    });
                }
            },
            cancel,
        );
        let left = tokio::time::timeout(Duration::from_secs(10), call).await;
        asked.store(true, Ordering::SeqCst);
        assert_eq!(left, Ok(Ok(None)));
    }

    #[tokio::test]
    async fn nothing_begins_that_was_cancelled_before() {
        let cancel = Cancel::new();
        cancel.cancel();
        let begun = Arc::new(AtomicBool::new(false));
        let told = begun.clone();
        assert_eq!(run_until(async move { told.store(true, Ordering::SeqCst) }, cancel).await, Ok(None));
        assert!(!begun.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn what_is_let_go_is_freed_on_another_thread() {
        struct Tells(std::sync::mpsc::Sender<std::thread::ThreadId>);
        impl Drop for Tells {
            fn drop(&mut self) {
                self.0.send(std::thread::current().id()).unwrap();
            }
        }
        let (told, heard) = std::sync::mpsc::channel();
        let_go(Tells(told));
        let freed_on = heard.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_ne!(freed_on, std::thread::current().id());
    }

    #[tokio::test]
    async fn a_panic_is_an_error() {
        assert_eq!(block(|| panic!("deliberate")).await, Err::<(), _>(RunError::BrokeOff));
    }
}
