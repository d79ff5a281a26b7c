//! Budget of something that is used and given back, with a queue for those that wait.

use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// An amount that is shared out; who finds too little left waits for it, in order.
#[derive(Debug)]
pub(crate) struct Budget {
    total: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    used: u64,
    waiting: VecDeque<Waiter>,
    /// Those that were given what they waited for and have not looked yet.
    given: HashSet<u64>,
    next: u64,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    amount: u64,
    waker: Waker,
}

/// A part of a budget in use, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    amount: u64,
}

/// A share that is waited for.
#[derive(Debug)]
pub(crate) struct Taking {
    budget: Arc<Budget>,
    amount: u64,
    /// Place in the row, once it stands in it.
    number: Option<u64>,
}

impl Budget {
    pub(crate) fn new(total: u64) -> Arc<Self> {
        Arc::new(Self { total: total.max(1), state: Mutex::default() })
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Returns the amount that nobody uses.
    pub(crate) fn free(&self) -> u64 {
        self.total.saturating_sub(self.state().used)
    }

    /// The amount in use. It may exceed the total.
    pub(crate) fn used(&self) -> u64 {
        self.state().used
    }

    /// Returns the number of those that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// A share at once, if nobody waits and there is so much left.
    pub(crate) fn try_take(self: &Arc<Self>, amount: u64) -> Option<Share> {
        let mut state = self.state();
        if !state.waiting.is_empty() || !state.fits(amount, self.total) {
            return None;
        }
        state.used += amount;
        drop(state);
        Some(Share { budget: Arc::clone(self), amount })
    }

    /// A share, as soon as there is so much left; all of it where more is asked for.
    pub(crate) fn take(self: &Arc<Self>, amount: u64) -> Taking {
        Taking { budget: Arc::clone(self), amount: amount.min(self.total), number: None }
    }

    /// A share even where there is not so much left: of what is in use already.
    pub(crate) fn take_anyway(self: &Arc<Self>, amount: u64) -> Share {
        self.state().used += amount;
        Share { budget: Arc::clone(self), amount }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, amount: u64) {
        let mut state = self.state();
        state.used -= amount;
        if state.waiting.is_empty() {
            return;
        }
        let woken = state.give(self.total);
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }
}

impl State {
    fn fits(&self, amount: u64, total: u64) -> bool {
        self.used.checked_add(amount).is_some_and(|used| used <= total)
    }

    /// Gives those in front what they wait for, as far as it goes round.
    fn give(&mut self, total: u64) -> Vec<Waker> {
        let mut woken = Vec::new();
        while let Some(front) = self.waiting.front()
            && self.fits(front.amount, total)
            && let Some(Waiter { number, amount, waker }) = self.waiting.pop_front()
        {
            self.used += amount;
            self.given.insert(number);
            woken.push(waker);
        }
        woken
    }
}

impl Future for Taking {
    type Output = Share;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Share> {
        let budget = Arc::clone(&self.budget);
        let mut state = budget.state();
        let taken = match self.number {
            None if state.waiting.is_empty() && state.fits(self.amount, budget.total) => {
                state.used += self.amount;
                true
            }
            None => {
                let number = state.next;
                state.next += 1;
                let (amount, waker) = (self.amount, context.waker().clone());
                state.waiting.push_back(Waiter { number, amount, waker });
                self.number = Some(number);
                false
            }
            Some(number) if state.given.remove(&number) => {
                self.number = None;
                true
            }
            Some(number) => {
                let waiter = state.waiting.iter_mut().find(|waiter| waiter.number == number);
                if let Some(waiter) = waiter {
                    waiter.waker.clone_from(context.waker());
                }
                false
            }
        };
        drop(state);
        if taken { Poll::Ready(Share { budget, amount: self.amount }) } else { Poll::Pending }
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let mut state = self.budget.state();
        if state.given.remove(&number) {
            drop(state);
            return self.budget.give_back(self.amount);
        }
        state.waiting.retain(|waiter| waiter.number != number);
        // It may have stood before one that asks for less.
        let woken = state.give(self.budget.total);
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.give_back(self.amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(taking: &mut Taking) -> Option<Share> {
        match Pin::new(taking).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(share) => Some(share),
            Poll::Pending => None,
        }
    }

    #[test]
    fn shares_go_out_in_order_as_others_come_back() {
        let budget = Budget::new(10);
        let first = poll(&mut budget.take(8)).unwrap();
        let (mut large, mut small) = (budget.take(5), budget.take(1));
        assert!(poll(&mut large).is_none());
        assert!(poll(&mut small).is_none(), "it does not overtake");
        assert_eq!((budget.waiting(), budget.free()), (2, 2));
        drop(first);
        let (large, small) = (poll(&mut large).unwrap(), poll(&mut small).unwrap());
        assert_eq!((budget.waiting(), budget.free()), (0, 4));
        drop((large, small));
        assert_eq!(budget.free(), 10);
    }

    #[test]
    fn who_gives_up_lets_the_next_go_on_and_keeps_nothing() {
        let budget = Budget::new(10);
        let first = poll(&mut budget.take(8)).unwrap();
        let (mut large, mut small) = (budget.take(5), budget.take(1));
        assert!(poll(&mut large).is_none() && poll(&mut small).is_none());
        drop(large);
        let small = poll(&mut small).unwrap();
        let mut given = budget.take(5);
        assert!(poll(&mut given).is_none());
        drop(first);
        // It was given its share and never looked.
        drop(given);
        drop(small);
        assert_eq!((budget.waiting(), budget.free()), (0, 10));
    }

    #[test]
    fn more_than_there_is_waits_for_all_of_it() {
        let budget = Budget::new(10);
        let one = poll(&mut budget.take(1)).unwrap();
        let mut all = budget.take(1000);
        assert!(poll(&mut all).is_none());
        drop(one);
        assert!(poll(&mut all).is_some());
        let beyond = budget.take_anyway(100);
        assert_eq!(budget.free(), 0);
        drop(beyond);
        assert_eq!(budget.free(), 10);
    }
}
