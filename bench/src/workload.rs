//! Request bodies at the speed of a copy: a pool of made-up events, each given a new id and time
//! when it is sent, so that the client costs little beside the server.

use bytes::Bytes;
use recount_demo::{Workload, WorkloadOptions};
use recount_event::Timestamp;

/// Events of a batch.
pub(crate) const BATCH_EVENTS: usize = 1_000;
/// Different batches; after as many the texts repeat, with other ids and times.
const POOL_BATCHES: usize = 64;
/// Tenants of the mixed workload; sizes fall by Zipf's law.
const TENANTS: u64 = 100;
/// The first event's time, and the distance to the next.
const FIRST_MICROS: i64 = 1_782_900_000_000_000;
const STEP_MICROS: i64 = 1_000;

const ID_PREFIX: &str = "{\"id\":\"";
const TIME_PREFIX: &str = "\"occurred_at\":\"";
const TIME_CHARS: usize = "2026-11-23T14:32:07.418Z".len();

/// A pool of batches in which ids and times are replaced as they are taken.
pub(crate) struct Bodies {
    batches: Vec<Template>,
    /// Makes the ids of different pools different.
    salt: u64,
    /// Events of one batch are of as many tenants, counted on from batch to batch.
    tenants: Option<u64>,
}

struct Template {
    text: Vec<u8>,
    events: Vec<Place>,
}

struct Place {
    start: usize,
    end: usize,
    id: usize,
    time: usize,
}

impl Bodies {
    /// Events of 100 tenants with Zipf's sizes.
    pub(crate) fn new(salt: u64) -> Self {
        let weights: Vec<f64> = (1..=TENANTS).map(|rank| 1.0 / rank as f64).collect();
        let total: f64 = weights.iter().sum();
        let tenant_of = |index: u64| {
            let mut left = (mix(index) >> 11) as f64 / (1_u64 << 53) as f64 * total;
            for (tenant, weight) in weights.iter().enumerate() {
                left -= weight;
                if left < 0.0 {
                    return tenant as u64;
                }
            }
            0
        };
        Self { batches: templates(POOL_BATCHES, tenant_of), salt, tenants: None }
    }

    /// Events of one tenant.
    pub(crate) fn of_tenant(number: u64) -> Self {
        Self { batches: templates(POOL_BATCHES, |_| number), salt: 9, tenants: None }
    }

    /// Batches that go round `tenants` tenants, one event each.
    pub(crate) fn one_per_tenant(tenants: u64) -> Self {
        let pool = usize::try_from(tenants).unwrap_or(usize::MAX) / BATCH_EVENTS;
        Self { batches: templates(pool.max(1), |index| index % tenants), salt: 7, tenants: Some(tenants) }
    }

    /// The body of batch `number`: a JSON array.
    pub(crate) fn batch(&self, number: u64) -> Bytes {
        let template = &self.batches[number as usize % self.batches.len()];
        let mut text = template.text.clone();
        for (index, place) in template.events.iter().enumerate() {
            self.patch(&mut text, place, number * BATCH_EVENTS as u64 + index as u64);
        }
        text.into()
    }

    /// The body of one event: a JSON object.
    pub(crate) fn single(&self, number: u64) -> Bytes {
        debug_assert!(self.tenants.is_none(), "the round goes by batches");
        let template = &self.batches[number as usize / BATCH_EVENTS % self.batches.len()];
        let place = &template.events[number as usize % template.events.len()];
        let mut text = template.text[place.start..place.end].to_vec();
        let moved =
            Place { start: 0, end: text.len(), id: place.id - place.start, time: place.time - place.start };
        self.patch(&mut text, &moved, number);
        text.into()
    }

    /// A UUIDv7 and a time that rise with `number`.
    fn patch(&self, text: &mut [u8], place: &Place, number: u64) {
        let micros = FIRST_MICROS + number as i64 * STEP_MICROS;
        let millis = micros as u64 / 1_000;
        let (high, low) = (mix(number ^ self.salt << 40), mix(!number ^ self.salt << 41));
        let id = &mut text[place.id..place.id + 36];
        hex(&mut id[0..8], millis >> 16);
        hex(&mut id[9..13], millis);
        hex(&mut id[15..18], high);
        hex(&mut id[20..23], high >> 12);
        hex(&mut id[24..36], low);
        let time = Timestamp::from_micros(micros).to_string();
        if time.len() == TIME_CHARS {
            text[place.time..place.time + TIME_CHARS].copy_from_slice(time.as_bytes());
        }
    }
}

fn templates(batches: usize, tenant_of: impl Fn(u64) -> u64) -> Vec<Template> {
    let workload = Workload::new(WorkloadOptions::until(Timestamp::from_micros(FIRST_MICROS + 1_000)));
    let count = (batches * BATCH_EVENTS) as u64;
    (0..batches)
        .map(|batch| {
            let (mut text, mut events) = (String::from("["), Vec::new());
            for index in 0..BATCH_EVENTS {
                let number = (batch * BATCH_EVENTS + index) as u64;
                let mut event = String::new();
                // A whole second has a shorter text; the neighbour's will do.
                for attempt in 0.. {
                    event.clear();
                    workload.write_event(tenant_of(number), number + attempt, count, &mut event);
                    if time_place(&event).is_some() {
                        break;
                    }
                }
                if index > 0 {
                    text.push(',');
                }
                let start = text.len();
                let time = start + time_place(&event).unwrap_or_default();
                text.push_str(&event);
                events.push(Place { start, end: text.len(), id: start + ID_PREFIX.len(), time });
            }
            text.push(']');
            Template { text: text.into_bytes(), events }
        })
        .collect()
}

fn time_place(event: &str) -> Option<usize> {
    let place = event.find(TIME_PREFIX)? + TIME_PREFIX.len();
    (event.as_bytes().get(place + TIME_CHARS) == Some(&b'"')).then_some(place)
}

fn hex(out: &mut [u8], value: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (index, byte) in out.iter_mut().rev().enumerate() {
        *byte = DIGITS[(value >> (4 * index) & 0xf) as usize];
    }
}

/// SplitMix64's finaliser: a number that looks random.
fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
