//! The order of a scan as one comparison, whichever way it goes.

use recount_event::Timestamp;

use crate::{Order, Position};

/// A place in the order of a scan: what comes earlier in it is smaller, for both orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    time: i64,
    seq: u64,
}

impl Place {
    /// The place of an event.
    pub(crate) fn of(order: Order, occurred_micros: i64, seq: u64) -> Self {
        match order {
            // `!x` is `-1 - x` for signed and `MAX - x` for unsigned numbers: it turns the order
            // around and can't overflow.
            Order::NewestFirst => Place { time: !occurred_micros, seq: !seq },
            Order::OldestFirst => Place { time: occurred_micros, seq },
        }
    }

    /// The event's place by time and seq, as callers know it.
    pub(crate) fn position(self, order: Order) -> Position {
        let (micros, seq) = match order {
            Order::NewestFirst => (!self.time, !self.seq),
            Order::OldestFirst => (self.time, self.seq),
        };
        Position { occurred_at: Timestamp::from_micros(micros), seq }
    }

    /// The first place that rows of these times and seqs can have.
    pub(crate) fn first_of(order: Order, times: (i64, i64), seqs: (u64, u64)) -> Self {
        match order {
            Order::NewestFirst => Place::of(order, times.1, seqs.1),
            Order::OldestFirst => Place::of(order, times.0, seqs.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_the_order_and_give_the_position_back() {
        for (order, sign) in [(Order::NewestFirst, -1), (Order::OldestFirst, 1)] {
            let early = Place::of(order, 5, 9);
            let late = Place::of(order, 6, 0);
            assert_eq!(early.cmp(&late) as i32, -sign);
            assert_eq!(Place::of(order, 5, 8).cmp(&early) as i32, -sign);
            let back = early.position(order);
            assert_eq!((back.occurred_at.as_micros(), back.seq), (5, 9));
            assert_eq!(
                Place::first_of(order, (1, 6), (0, 9)),
                Place::of(order, if sign < 0 { 6 } else { 1 }, if sign < 0 { 9 } else { 0 })
            );
        }
    }
}
