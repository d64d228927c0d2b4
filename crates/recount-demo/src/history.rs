//! The last weeks of a few companies, and what happens from then on.

use recount_event::Timestamp;

use crate::random::Random;
use crate::world::World;
use crate::{DAY_MICROS, HOUR_MICROS, story};

/// How many days the story lies before the end of the history.
const STORY_DAYS_BEFORE_END: i64 = 12;

/// A company of the demo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// The tenant's id.
    pub tenant: &'static str,
    /// The name that people know it by.
    pub name: &'static str,
    /// The domain of its e-mail addresses.
    pub domain: &'static str,
    /// How many people work there.
    pub people: usize,
    /// Of 100 events of the demo, how many are this company's.
    pub share_percent: u64,
}

/// The three companies of the demo; the compromised account is in the first.
#[must_use]
pub fn companies() -> [Company; 3] {
    [
        Company {
            tenant: "acme",
            name: "Acme Robotics",
            domain: "acme.example",
            people: 180,
            share_percent: 60,
        },
        Company {
            tenant: "lumen",
            name: "Lumen Health",
            domain: "lumen.example",
            people: 90,
            share_percent: 30,
        },
        Company {
            tenant: "harbor",
            name: "Harbor & Finch",
            domain: "harbor.example",
            people: 36,
            share_percent: 10,
        },
    ]
}

/// One event as it would be posted: a line of JSON, its tenant and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoEvent {
    /// The tenant that it belongs to.
    pub tenant: &'static str,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The event as one line of JSON.
    pub line: String,
}

/// The past of one company, oldest event first. Iterates over exactly `events` of them.
#[derive(Clone, Debug)]
pub struct History {
    company: Company,
    random: Random,
    world: World,
    from_micros: i64,
    until_micros: i64,
    events: u64,
    made: u64,
    /// Running sums of how busy each hour is, to find the hour of an event.
    hours: Vec<f64>,
    story: std::iter::Peekable<std::vec::IntoIter<story::Scene>>,
}

impl History {
    /// The `days` before `until`, as `events` events (the story's included).
    #[must_use]
    pub fn new(company: &Company, seed: u64, until: Timestamp, days: u32, events: u64) -> Self {
        let part = company
            .tenant
            .bytes()
            .fold(0, |hash: u64, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let mut random = Random::for_part(seed, part, 0);
        let mut world = World::new(&mut random, company.domain, company.people);
        let until_micros = until.as_micros();
        let from_micros = until_micros - i64::from(days) * DAY_MICROS;
        let mut sum = 0.0;
        let hours = (0..i64::from(days) * 24)
            .map(|hour| {
                // Growth of a fifth over the time, so that the histogram leans the right way.
                let growth = 0.8 + 0.2 * hour as f64 / (f64::from(days) * 24.0);
                sum += (World::busyness(from_micros + hour * HOUR_MICROS) + 0.12) * growth;
                sum
            })
            .collect();
        let scenes = if company.tenant == companies()[0].tenant && i64::from(days) > STORY_DAYS_BEFORE_END {
            story::compromised_account(
                &mut random,
                &mut world,
                until_micros - STORY_DAYS_BEFORE_END * DAY_MICROS,
            )
        } else {
            Vec::new()
        };
        Self {
            company: company.clone(),
            random,
            world,
            from_micros,
            until_micros,
            events: events.max(scenes.len() as u64),
            made: 0,
            hours,
            story: scenes.into_iter().peekable(),
        }
    }

    /// What happens after the history, one event whenever it is asked for.
    #[must_use]
    pub fn live(mut self, seed: u64) -> Live {
        self.random = Random::for_part(seed, self.random.next(), 1);
        Live { company: self.company, random: self.random, world: self.world }
    }

    /// The time of the event with that number: times are spread so that each hour has its share,
    /// and rise with the number.
    fn time_of(&mut self, number: u64, count: u64) -> i64 {
        let total = *self.hours.last().expect("a history has at least one day");
        let point = (number as f64 + self.random.unit()) / count as f64 * total;
        let hour = self.hours.partition_point(|sum| *sum <= point).min(self.hours.len() - 1);
        let before = if hour == 0 { 0.0 } else { self.hours[hour - 1] };
        let within = (point - before) / (self.hours[hour] - before);
        let micros = self.from_micros + hour as i64 * HOUR_MICROS + (within * HOUR_MICROS as f64) as i64;
        // Whole milliseconds, as most backends write them.
        (micros / 1_000 * 1_000).min(self.until_micros - 1)
    }
}

impl Iterator for History {
    type Item = DemoEvent;

    fn next(&mut self) -> Option<DemoEvent> {
        let scenes_left = self.story.len() as u64;
        if self.made >= self.events {
            return None;
        }
        let micros = self.time_of(self.made, self.events);
        let (micros, draft) = match self.story.peek() {
            Some(scene) if scene.micros <= micros || self.events - self.made <= scenes_left => {
                let scene = self.story.next().expect("peeked");
                (scene.micros, scene.draft)
            }
            _ => (micros, self.world.happen(&mut self.random, micros)),
        };
        self.made += 1;
        let occurred_at = Timestamp::from_micros(micros);
        let mut line = String::with_capacity(768);
        draft.write(self.company.tenant, occurred_at, &mut self.random, &mut line);
        Some(DemoEvent { tenant: self.company.tenant, occurred_at, line })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.events - self.made) as usize;
        (left, Some(left))
    }
}

/// The present of one company.
#[derive(Clone, Debug)]
pub struct Live {
    company: Company,
    random: Random,
    world: World,
}

impl Live {
    /// What happens at that moment.
    pub fn happen(&mut self, now: Timestamp) -> DemoEvent {
        let draft = self.world.happen(&mut self.random, now.as_micros());
        let mut line = String::with_capacity(768);
        draft.write(self.company.tenant, now, &mut self.random, &mut line);
        DemoEvent { tenant: self.company.tenant, occurred_at: now, line }
    }
}
