//! Any number of events for benchmarks: a pure function of seed, tenant and index.

use recount_event::Timestamp;

use crate::DAY_MICROS;
use crate::actions::{ACTIONS, By};
use crate::draft::{Actor, Context, Draft, Outcome};
use crate::random::Random;

/// How many actions a workload has.
const WORKLOAD_ACTIONS: usize = 60;

/// What a benchmark's events are like.
#[derive(Clone, Debug)]
pub struct WorkloadOptions {
    /// Decides everything that the other options leave open.
    pub seed: u64,
    /// Actors of each tenant; few of them act often (Zipf).
    pub actors: usize,
    /// The newest event is just before this moment.
    pub until: Timestamp,
    /// Days over which a tenant's events are spread evenly.
    pub days: u32,
}

impl WorkloadOptions {
    /// 5,000 actors over the 180 days before `until`.
    #[must_use]
    pub fn until(until: Timestamp) -> Self {
        Self { seed: 1, actors: 5_000, until, days: 180 }
    }
}

/// Events of about 600 bytes with 60 actions, for benchmarks.
///
/// An event depends on the options, the tenant's number, its index and the tenant's number of
/// events alone, so clients can share the work without talking to one another. Within a tenant
/// times rise with the index.
#[derive(Clone, Debug)]
pub struct Workload {
    options: WorkloadOptions,
    actions: Vec<&'static crate::actions::Action>,
}

impl Workload {
    /// A workload with those options.
    #[must_use]
    pub fn new(options: WorkloadOptions) -> Self {
        Self { options, actions: ACTIONS.iter().take(WORKLOAD_ACTIONS).collect() }
    }

    /// The id of the tenant with that number.
    #[must_use]
    pub fn tenant(number: u64) -> String {
        format!("org_{number:06}")
    }

    /// The time of event `index` of `count` of that tenant.
    #[must_use]
    pub fn occurred_at(&self, index: u64, count: u64) -> Timestamp {
        let span = i64::from(self.options.days) * DAY_MICROS;
        let offset = (i128::from(span) * i128::from(index) / i128::from(count.max(1))) as i64;
        Timestamp::from_micros((self.options.until.as_micros() - span + offset) / 1_000 * 1_000)
    }

    /// Appends event `index` of `count` of that tenant to `out`, as one line of JSON without the
    /// line feed.
    pub fn write_event(&self, tenant: u64, index: u64, count: u64, out: &mut String) {
        let mut random = Random::for_part(self.options.seed, tenant, index);
        let number = random.zipf(self.options.actors);
        let action = self.actions[random.zipf(self.actions.len())];
        let actor = Self::actor(number);
        let target = random.zipf(20_000);
        let person = action.by == By::Anyone || random.chance(700);
        let description = format!("{} {} {} {target}", actor.name, action.verb, action.target);
        let context = Context {
            ip: format!("198.18.{}.{}", number / 250 % 250, number % 250 + 2),
            user_agent: if person {
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15".to_owned()
            } else {
                "dbt-runner/1.8 (warehouse)".to_owned()
            },
            location: Some(["DE", "FR", "US", "JP"][number % 4].to_owned()),
            session_id: Some(format!("s_{number:05x}{:04x}", (index / 40) & 0xffff)),
        };
        let outcome = match random.below(100) {
            0..=2 => Outcome::Failure,
            3 => Outcome::Denied,
            _ => Outcome::Success,
        };
        let draft = Draft::new(action.name, actor, description)
            .outcome(outcome)
            .on(
                action.target,
                format!("{}_{target:05}", action.target),
                format!("{} {target}", action.target),
            )
            .from(context)
            .meta("plan", *random.pick(&["free", "team", "business", "enterprise"]))
            .meta("duration_ms", random.between(2, 900))
            .meta("trace", random.hex(8));
        draft.write(&Self::tenant(tenant), self.occurred_at(index, count), &mut random, out);
    }

    fn actor(number: usize) -> Actor {
        Actor {
            kind: "user",
            id: format!("u_{number:05}"),
            name: format!("Person {number:05}"),
            email: Some(format!("p{number:05}@example.com")),
        }
    }
}

/// Splits `total` events over tenants whose sizes fall by a power of their rank (Zipf's law), from
/// exactly `largest` to exactly `smallest`, largest first. The sum is exactly `total`, which must be
/// more than `largest`; the exponent follows from these three.
#[must_use]
pub fn zipf_sizes(total: u64, largest: u64, smallest: u64) -> Vec<u64> {
    // The steeper the fall, the smaller the sum: halve the interval of exponents until it is found.
    let (mut flat, mut steep) = (0.5, 8.0);
    for _ in 0..60 {
        let middle = (flat + steep) / 2.0;
        if falling(largest, smallest, middle).iter().sum::<u64>() > total {
            flat = middle;
        } else {
            steep = middle;
        }
    }
    let mut sizes = falling(largest, smallest, steep);
    // What rounding left over goes to the second tenant.
    let left = total.saturating_sub(sizes.iter().sum());
    if let Some(second) = sizes.get_mut(1) {
        *second += left;
    }
    sizes
}

/// `largest / rank^exponent` for each rank, down to the first that is no more than `smallest`.
fn falling(largest: u64, smallest: u64, exponent: f64) -> Vec<u64> {
    let mut sizes = Vec::new();
    for rank in 1_u32.. {
        let size = ((largest as f64 / f64::from(rank).powf(exponent)) as u64).max(smallest);
        sizes.push(size);
        if size == smallest {
            break;
        }
    }
    sizes
}
