//! Cursors: opaque, unforgeable, and good for one question only.
//!
//! A cursor holds a place in the answer and the log's size at its first page. It carries a MAC over
//! these and over the question (tenant, filter, range, order), so that a cursor of another tenant or
//! of another filter is refused rather than answered with something odd.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use recount_event::{TenantId, Timestamp};
use recount_store::Position;
use sha2::Sha256;

use crate::problem::{Problem, ProblemCode};

const VERSION: u8 = 1;
const MAC_BYTES: usize = 16;
/// The longest cursor that is looked at, in characters.
const CURSOR_CHARS_MAX: usize = 1_024;

/// Makes and checks cursors with the deployment's secret. Cheap to clone.
#[derive(Clone)]
pub(crate) struct CursorKey([u8; 32]);

/// The question that a cursor belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Question(Vec<u8>);

impl Question {
    /// Names the route and everything that must be the same on every page.
    pub(crate) fn new(route: &str, tenant: Option<&TenantId>, parts: &[&str]) -> Self {
        let mut bytes = Vec::new();
        let tenant = tenant.map_or("", AsRef::as_ref);
        for part in [route, tenant].into_iter().chain(parts.iter().copied()) {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Self(bytes)
    }
}

/// Where a list of events goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListPlace {
    /// The last event of the page before.
    pub(crate) after: Position,
    /// The log's size at the first page.
    pub(crate) pin: u64,
}

impl ListPlace {
    fn to_bytes(self) -> [u8; 24] {
        let mut out = [0; 24];
        out[..8].copy_from_slice(&self.after.occurred_at.as_micros().to_le_bytes());
        out[8..16].copy_from_slice(&self.after.seq.to_le_bytes());
        out[16..].copy_from_slice(&self.pin.to_le_bytes());
        out
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| bytes.get(at..at + 8).and_then(|word| <[u8; 8]>::try_from(word).ok());
        if bytes.len() != 24 {
            return None;
        }
        Some(Self {
            after: Position {
                occurred_at: Timestamp::from_micros(i64::from_le_bytes(word(0)?)),
                seq: u64::from_le_bytes(word(8)?),
            },
            pin: u64::from_le_bytes(word(16)?),
        })
    }
}

impl CursorKey {
    /// Takes the deployment's secret.
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// The cursor for a place of a list of events.
    pub(crate) fn seal_place(&self, question: &Question, place: ListPlace) -> String {
        self.seal(question, &place.to_bytes())
    }

    /// The place that a cursor of this question stands for.
    ///
    /// # Errors
    /// `invalid_cursor` for anything else.
    pub(crate) fn open_place(&self, question: &Question, cursor: &str) -> Result<ListPlace, Problem> {
        ListPlace::from_bytes(&self.open(question, cursor)?).ok_or_else(refused)
    }

    /// The cursor for any payload.
    pub(crate) fn seal(&self, question: &Question, payload: &[u8]) -> String {
        let mut bytes = Vec::with_capacity(1 + payload.len() + MAC_BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(payload);
        let mac = self.mac(question, &bytes).finalize().into_bytes();
        bytes.extend_from_slice(&mac[..MAC_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The payload of a cursor of this question.
    ///
    /// # Errors
    /// `invalid_cursor` for anything else.
    pub(crate) fn open(&self, question: &Question, cursor: &str) -> Result<Vec<u8>, Problem> {
        if cursor.len() > CURSOR_CHARS_MAX {
            return Err(refused());
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
        if bytes.len() < 1 + MAC_BYTES || bytes[0] != VERSION {
            return Err(refused());
        }
        let mac = bytes.split_off(bytes.len() - MAC_BYTES);
        self.mac(question, &bytes).verify_truncated_left(&mac).map_err(|_| refused())?;
        bytes.remove(0);
        Ok(bytes)
    }

    fn mac(&self, question: &Question, bytes: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(b"recount cursor");
        mac.update(&(bytes.len() as u64).to_le_bytes());
        mac.update(bytes);
        mac.update(&question.0);
        mac
    }
}

fn refused() -> Problem {
    Problem::new(
        ProblemCode::InvalidCursor,
        "the cursor was changed, or belongs to another tenant, filter, range or order; start without a cursor",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(micros: i64, seq: u64, pin: u64) -> ListPlace {
        ListPlace { after: Position { occurred_at: Timestamp::from_micros(micros), seq }, pin }
    }

    #[test]
    fn a_cursor_is_bound_to_its_question() {
        let key = CursorKey::new([1; 32]);
        let acme: TenantId = "acme".parse().expect("valid");
        let other: TenantId = "other".parse().expect("valid");
        let question = Question::new("events", Some(&acme), &["action:a", "desc"]);
        let cursor = key.seal_place(&question, place(5, 6, 7));
        assert_eq!(key.open_place(&question, &cursor).expect("same question"), place(5, 6, 7));
        for wrong in [
            Question::new("events", Some(&other), &["action:a", "desc"]),
            Question::new("events", Some(&acme), &["action:b", "desc"]),
            Question::new("events", Some(&acme), &["action:a", "asc"]),
            Question::new("events", Some(&acme), &["action:ad", "esc"]),
            Question::new("event", Some(&acme), &["action:a", "desc"]),
        ] {
            assert_eq!(key.open_place(&wrong, &cursor).expect_err("foreign").code(), "invalid_cursor");
        }
        assert!(CursorKey::new([2; 32]).open_place(&question, &cursor).is_err());
    }

    proptest! {
        #[test]
        fn places_come_back(micros in any::<i64>(), seq in any::<u64>(), pin in any::<u64>()) {
            let key = CursorKey::new([1; 32]);
            let question = Question::new("events", None, &[]);
            let place = place(micros, seq, pin);
            prop_assert_eq!(key.open_place(&question, &key.seal_place(&question, place)).expect("own"), place);
        }

        #[test]
        fn altered_or_foreign_text_is_refused(text in "[A-Za-z0-9_-]{0,80}", at in any::<prop::sample::Index>()) {
            let key = CursorKey::new([1; 32]);
            let question = Question::new("events", None, &[]);
            prop_assert!(key.open_place(&question, &text).is_err());
            let mut cursor = key.seal_place(&question, place(1, 2, 3)).into_bytes();
            let at = at.index(cursor.len());
            cursor[at] = if cursor[at] == b'A' { b'B' } else { b'A' };
            let cursor = String::from_utf8(cursor).expect("ASCII");
            // The last character of base64 can carry bits that mean nothing.
            if let Ok(opened) = key.open_place(&question, &cursor) {
                prop_assert_eq!(opened, place(1, 2, 3));
            }
        }
    }
}
