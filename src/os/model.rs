//! What the model checker does not have: condition variables whose waits run out of time, and scopes inside scopes. Time
//! does not pass on its schedules; it passes when a scenario says so, for all who wait.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LockResult, PoisonError};
use std::time::Duration;

use shuttle::sync::{self, Mutex, MutexGuard};
use shuttle::thread::Scope;

thread_local! {
    /// The condition variables of the schedule that runs on this thread.
    static WAITS: RefCell<Vec<Arc<sync::Condvar>>> = const { RefCell::new(Vec::new()) };
    /// Its scopes, by where they are.
    static SCOPES: RefCell<BTreeMap<usize, Arc<Ending>>> = const { RefCell::new(BTreeMap::new()) };
}

/// As the standard library's.
#[derive(Debug)]
pub(crate) struct Condvar(Arc<sync::Condvar>);

impl Condvar {
    pub(crate) fn new() -> Condvar {
        let condvar = Arc::new(sync::Condvar::new());
        WAITS.with_borrow_mut(|waits| waits.push(condvar.clone()));
        Condvar(condvar)
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }

    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.0.wait(guard)
    }

    /// Waits until it is woken, or [`tick`] says that time has passed. Which of the two is not told.
    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        _: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, ())> {
        let woken = self.0.wait(guard);
        woken.map(|guard| (guard, ())).map_err(|error| PoisonError::new((error.into_inner(), ())))
    }

    pub(crate) fn wait_timeout_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        time: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'a, T>, ())> {
        match condition(&mut guard) {
            true => self.wait_timeout(guard, time),
            false => Ok((guard, ())),
        }
    }
}

/// A schedule begins: nobody waits.
pub(crate) fn begin() {
    WAITS.with_borrow_mut(Vec::clear);
    SCOPES.with_borrow_mut(BTreeMap::clear);
}

/// All waits of limited time run out.
pub(crate) fn tick() {
    let waits = WAITS.with_borrow(Vec::clone);
    for condvar in waits {
        condvar.notify_all();
    }
}

/// Whether a scope's body has ended.
#[derive(Default)]
struct Ending(Mutex<bool>, sync::Condvar);

/// As the standard library's. A thread's end wakes the checker's scope wherever its owner waits, also in another scope
/// inside it, which would end too early: so threads end only behind the scope's body.
pub(crate) fn scope<'env, R>(body: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> R) -> R {
    shuttle::thread::scope(|scope| {
        let (here, ending) = (std::ptr::from_ref(scope).addr(), Arc::new(Ending::default()));
        SCOPES.with_borrow_mut(|scopes| scopes.insert(here, ending.clone()));
        let answer = body(scope);
        SCOPES.with_borrow_mut(|scopes| scopes.remove(&here));
        *ending.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        ending.1.notify_all();
        answer
    })
}

/// What comes of a scoped thread, which may be there before the thread has ended.
pub(crate) struct ScopedJoinHandle<'scope, R> {
    answer: Arc<Answer<R>>,
    _scope: PhantomData<&'scope ()>,
}

struct Answer<R>(Mutex<Option<std::thread::Result<R>>>, sync::Condvar);

impl<R> ScopedJoinHandle<'_, R> {
    pub(crate) fn join(self) -> std::thread::Result<R> {
        let answer = self.answer.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = self.answer.1.wait_while(answer, |answer| answer.is_none());
        let answer = answer.unwrap_or_else(PoisonError::into_inner).take();
        answer.unwrap_or_else(|| Err(Box::new("no answer")))
    }
}

pub(crate) fn spawn_scoped<'scope, R: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    body: impl FnOnce() -> R + Send + 'scope,
) -> ScopedJoinHandle<'scope, R> {
    let ending = SCOPES.with_borrow(|scopes| scopes.get(&std::ptr::from_ref(scope).addr()).cloned());
    let answer = Arc::new(Answer(Mutex::new(None), sync::Condvar::new()));
    let to = answer.clone();
    scope.spawn(move || {
        let answer = catch_unwind(AssertUnwindSafe(body));
        *to.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        to.1.notify_all();
        if let Some(ending) = ending {
            let ended = ending.0.lock().unwrap_or_else(PoisonError::into_inner);
            drop(ending.1.wait_while(ended, |ended| !*ended));
        }
    });
    ScopedJoinHandle { answer, _scope: PhantomData }
}
