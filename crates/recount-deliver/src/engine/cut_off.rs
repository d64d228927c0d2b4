//! Where retention meets a stream: what waits for too long is removed from the log, sent or not.
//!
//! Whoever watches the stream is told when that will be as soon as it is unhealthy, and what was lost
//! when it has happened. Nothing is passed over silently.

use recount_event::{Outcome as EventOutcome, Timestamp};
use recount_store::{
    OwnEvent, ReadError,
    streams::{Progress, StreamHealth},
};

use super::{
    outcome::Outcome,
    progress,
    run::{Next, Run},
};
use crate::lifecycle::lag::received_at;

impl Run {
    /// Retention has removed events after the cursor, those before `first_seq`: says so in the log, and
    /// goes on with the first event that is left.
    pub(super) async fn cut_off(&mut self, first_seq: u64) -> Next {
        let from = self.stream.cursor;
        let lost = first_seq.saturating_sub(from);
        let text = format!(
            "retention removed {lost} events, those that the filter leaves out included, before they could be delivered"
        );
        let mut event = progress::own_event(&self.stream, "recount.stream.cut_off");
        event.outcome = EventOutcome::Failure;
        event.description = Some(format!("Stream {} was cut off: {text}", self.stream.name));
        event.once_key = Some(format!("{}/{from}/{first_seq}", self.stream.id));
        for (name, number) in [("events", lost), ("from_seq", from), ("to_seq", first_seq - 1)] {
            event.metadata.insert(name.to_owned(), number.into());
        }
        if let Err(next) = self.record(event).await {
            return next;
        }
        let mut progress = progress::of(&self.stream);
        progress.cursor = first_seq;
        progress.stretches.retain(|end| *end > first_seq);
        progress.last_error = text;
        progress.last_error_at = Some(self.shared.env.now());
        if let Err(next) = self.settle(progress, Outcome::default()).await {
            return next;
        }
        metrics::counter!("recount_stream_cut_off_events_total", "destination" => self.stream.destination_type.clone())
            .increment(lost);
        self.arrived = self.arrived.split_off(&first_seq);
        Next::Again
    }

    /// Adds to the event of a stream that has become unhealthy until when it keeps its place.
    pub(super) async fn announce_cut_off(&self, event: &mut OwnEvent, progress: &Progress) {
        if progress.health != StreamHealth::Unhealthy {
            return;
        }
        match self.cut_off_at(progress.cursor).await {
            Ok(Some(at)) => {
                if let Some(description) = &mut event.description {
                    description.push_str(&format!("; retention removes what waits from {at} on"));
                }
                event.metadata.insert("cut_off_at".to_owned(), at.to_string().into());
            }
            Ok(None) => {}
            // It is shown with the stream, too: not worth holding the event back.
            Err(error) => tracing::debug!(stream = %self.stream.id, error = %error, "no time of cut-off"),
        }
    }

    async fn cut_off_at(&self, cursor: u64) -> Result<Option<Timestamp>, ReadError> {
        let Some(retention) = self.log.extent().await?.retention else { return Ok(None) };
        let received_at = received_at(&self.log, cursor).await?;
        Ok(received_at.map(|at| retention.removes_at(at)))
    }
}
