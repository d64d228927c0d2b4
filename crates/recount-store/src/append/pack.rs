//! Compression of a round's events. It depends on nothing that the round before may change, so that
//! one may still be on its way.

use std::sync::Arc;

use super::plan::{Answer, Round};
use super::queue::Request;
use super::work::INLINE_BYTES_MAX;
use crate::tail_batch::Encoder;

/// Makes rounds of requests.
#[derive(Default)]
pub(super) struct Packer {
    /// Kept from round to round for its work space.
    encoder: Option<Encoder>,
}

impl Packer {
    /// Groups the requests' events by tenant and compresses them, off the async threads when it is long.
    pub(super) async fn pack(&mut self, requests: Vec<Request>) -> (Arc<Round>, Vec<Answer>) {
        let bytes: usize = requests.iter().map(|request| request.bytes).sum();
        let encoder = self.encoder.take();
        let pack = move || {
            let (mut round, answers) = Round::new(requests);
            // What can't be compressed now is tried again when it is planned, and fails there.
            let mut encoder = encoder.or_else(|| Encoder::new().ok());
            if let Some(encoder) = &mut encoder {
                round.pack(encoder);
            }
            (Arc::new(round), answers, encoder)
        };
        let (round, answers, encoder) = if bytes > INLINE_BYTES_MAX {
            tokio::task::spawn_blocking(pack).await.expect("packing does not panic")
        } else {
            pack()
        };
        self.encoder = encoder;
        (round, answers)
    }
}
