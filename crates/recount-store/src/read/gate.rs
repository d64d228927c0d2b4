//! Shares the processors between tenants: heavy work is cut into turns of some
//! milliseconds, and turns are given to the tenants that wait in rotation. However many
//! turns one tenant asks for, another's next turn comes after at most one of each tenant.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use recount_event::TenantId;
use tokio::sync::oneshot;

/// Hands out a fixed number of turns at a time. Cheap to clone; clones share the turns.
#[derive(Clone)]
pub(crate) struct CpuGate {
    inner: Arc<Mutex<State>>,
}

struct State {
    free: usize,
    /// The tenants that have someone waiting, next first.
    rotation: VecDeque<TenantId>,
    waiting: HashMap<TenantId, VecDeque<oneshot::Sender<Turn>>>,
}

/// The right to use one processor until dropped.
pub(crate) struct Turn {
    gate: Option<CpuGate>,
}

impl CpuGate {
    /// A gate that lets `turns_max` (at least one) through at a time.
    pub(crate) fn new(turns_max: usize) -> Self {
        CpuGate {
            inner: Arc::new(Mutex::new(State {
                free: turns_max.max(1),
                rotation: VecDeque::new(),
                waiting: HashMap::new(),
            })),
        }
    }

    /// Waits for a turn. Dropping the future gives the place in the queue up.
    pub(crate) async fn turn(&self, tenant: &TenantId) -> Turn {
        let turn = {
            let mut state = self.state();
            if state.free > 0 {
                state.free -= 1;
                return Turn { gate: Some(self.clone()) };
            }
            let (give, turn) = oneshot::channel();
            let queue = state.waiting.entry(tenant.clone()).or_default();
            queue.push_back(give);
            if queue.len() == 1 {
                state.rotation.push_back(tenant.clone());
            }
            turn
        };
        turn.await.expect("a waiter leaves the queue only with a turn")
    }

    /// Passes a turn that came back to who is next, or keeps it.
    fn pass_on(&self) {
        loop {
            let next = {
                let mut state = self.state();
                match state.next_waiter() {
                    Some(next) => next,
                    None => {
                        state.free += 1;
                        return;
                    }
                }
            };
            match next.send(Turn { gate: Some(self.clone()) }) {
                Ok(()) => return,
                // That one went away while it waited: its turn goes on to the next.
                Err(mut turn) => turn.gate = None,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.lock().expect("no code panics while it holds the gate's lock")
    }
}

impl State {
    fn next_waiter(&mut self) -> Option<oneshot::Sender<Turn>> {
        let tenant = self.rotation.pop_front()?;
        let queue = self.waiting.get_mut(&tenant).expect("a tenant in the rotation has a queue");
        let next = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&tenant);
        } else {
            self.rotation.push_back(tenant);
        }
        next
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn tenant(name: &str) -> TenantId {
        name.parse().expect("a valid tenant")
    }

    #[tokio::test]
    async fn a_light_tenant_waits_for_one_turn_of_a_heavy_one() {
        let gate = CpuGate::new(1);
        let (heavy, light) = (tenant("heavy"), tenant("light"));
        let mut running = gate.turn(&heavy).await;
        let mut queue: Vec<_> = (0..100).map(|_| Box::pin(gate.turn(&heavy))).collect();
        for waiting in &mut queue {
            assert!(waiting.now_or_never_ref().is_none());
        }
        let mut late = Box::pin(gate.turn(&light));
        assert!(late.now_or_never_ref().is_none());

        let mut heavy_turns = 0;
        for waiting in &mut queue {
            drop(running);
            if late.now_or_never_ref().is_some() {
                break;
            }
            running = waiting.now_or_never_ref().expect("the heavy tenant is next");
            heavy_turns += 1;
        }
        assert_eq!(heavy_turns, 1);
    }

    #[tokio::test]
    async fn a_waiter_that_leaves_does_not_take_its_turn_along() {
        let gate = CpuGate::new(1);
        let tenant = tenant("acme");
        let running = gate.turn(&tenant).await;
        let mut leaves = Box::pin(gate.turn(&tenant));
        let mut stays = Box::pin(gate.turn(&tenant));
        assert!(leaves.now_or_never_ref().is_none());
        assert!(stays.now_or_never_ref().is_none());
        // One leaves before it has its turn, one after it was handed over but unseen.
        drop(leaves);
        drop(running);
        let turn = stays.now_or_never_ref().expect("the turn came to who stayed");
        let mut unseen = Box::pin(gate.turn(&tenant));
        assert!(unseen.now_or_never_ref().is_none());
        drop(turn);
        drop(unseen);
        assert!(gate.turn(&tenant).now_or_never().is_some());
    }

    /// Polls once without consuming the future.
    trait PollOnce: Future + Unpin + Sized {
        fn now_or_never_ref(&mut self) -> Option<Self::Output> {
            (&mut *self).now_or_never()
        }
    }
    impl<F: Future + Unpin> PollOnce for F {}
}
