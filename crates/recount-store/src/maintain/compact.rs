//! Compaction: adjacent segments of a tenant are merged, tier by tier, so that their number stays
//! small and each event is rewritten about once per tier.
//!
//! It grows with the log all the same, by one for each 524,288 to 1,048,576 events, since a merge
//! must fit in memory. `docs/formats/segment.md` states the bound.

use std::ops::Range;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use metrics::{counter, histogram};
use recount_event::{TenantId, Timestamp};
use recount_segment::{EncodedSegment, Segment, SegmentOptions, SegmentWriter};

use super::busy::RESTS_MAX;
use super::{GARBAGE_DELAY, WorkError, Workshop};
use crate::catalog::leases::{self, Lease};
use crate::catalog::segments::{self, SegmentMeta};
use crate::catalog::{CommitPoint, garbage, tenants};
use crate::config::CompactionPolicy;
use crate::measure;

/// A tenant with so many segments that are still to be merged is merged without rest, even if appends get slower by it:
/// their ids are looked up in every segment, and so are words.
const UNMERGED_MAX: usize = 64;

impl Workshop {
    /// Merges the first run of segments that is due; says whether there was one.
    pub(super) async fn compact_one(&self, tenant: &TenantId, lease: &Lease) -> Result<bool, WorkError> {
        let all = self.catalog.segments(tenant, Timestamp::MIN).await?;
        self.observe_segments(all.len());
        let rows: Vec<u64> = all.iter().map(SegmentMeta::rows).collect();
        let Some(run) = mergeable(&rows, &self.compaction) else { return Ok(false) };
        let began = Instant::now();
        let replaced = &all[run];
        let mut opened = Vec::with_capacity(replaced.len());
        for segment in replaced {
            opened.push(self.segments.segment_to_merge(segment).await?);
        }
        let encoded = self.merge(opened, 0, may_rest(&rows, &self.compaction)).await?;
        let (first, last) = (&replaced[0], &replaced[replaced.len() - 1]);
        let stats = encoded.stats;
        if (stats.first_seq, stats.last_seq) != (first.first_seq, last.last_seq) {
            return Err(WorkError::Corrupt {
                object: format!("the merge of {} to {}", first.object, last.object),
                what: format!("it holds seq {} to {}", stats.first_seq, stats.last_seq),
            });
        }
        self.check_cancelled()?;

        let merged = self.put_segment(tenant, encoded).await?;
        let mut tx = self.catalog.begin().await?;
        leases::check(&mut tx, lease).await?;
        tenants::hold(&mut tx, std::slice::from_ref(tenant)).await?;
        for segment in replaced {
            segments::delete(&mut tx, tenant, segment).await?;
            garbage::discard(&mut tx, &segment.object, self.after(GARBAGE_DELAY)).await?;
        }
        segments::insert(&mut tx, tenant, &merged, self.env.now()).await?;
        garbage::take_intent(&mut tx, &merged.object).await?;
        tenants::tail_changed(&mut tx, tenant, 0, 0, 0).await?;
        self.catalog.commit(tx, CommitPoint::Compact).await?;

        counter!(measure::COMPACTED_EVENTS).increment(merged.rows());
        counter!(measure::COMPACTED_BYTES).increment(merged.bytes);
        histogram!(measure::COMPACT_SECONDS).record(began.elapsed());
        tracing::debug!(
            tenant = tenant.as_ref(),
            segments = replaced.len(),
            events = merged.rows(),
            bytes = merged.bytes,
            "merged segments"
        );
        Ok(true)
    }

    /// Merges the events from `first_seq` on, on a thread of its own: some milliseconds of work between
    /// two reads.
    pub(super) async fn merge(
        &self,
        segments: Vec<Segment>,
        first_seq: u64,
        may_rest: bool,
    ) -> Result<EncodedSegment, WorkError> {
        let runtime = tokio::runtime::Handle::current();
        let (cancel, busy) = (self.cancel.clone(), self.busy.clone());
        let merge = move || {
            runtime.block_on(async move {
                let mut writer = SegmentWriter::new(SegmentOptions::MERGED);
                let mut batches = std::pin::pin!(recount_segment::merge_from(segments, first_seq));
                let (mut working_since, mut rested) = (Instant::now(), Duration::ZERO);
                while let Some(batch) = batches.next().await {
                    if cancel.is_cancelled() {
                        return Err(WorkError::Cancelled);
                    }
                    let batch = batch.map_err(std::sync::Arc::new)?;
                    writer.push(&batch).map_err(|error| WorkError::Encode(error.to_string()))?;
                    let now = Instant::now();
                    if may_rest
                        && rested < RESTS_MAX
                        && let Some(rest) = busy.rest_after(now - working_since, now)
                    {
                        tokio::select! {
                            () = cancel.cancelled() => return Err(WorkError::Cancelled),
                            () = tokio::time::sleep(rest) => rested += rest,
                        }
                    }
                    working_since = Instant::now();
                }
                writer.finish().map_err(|error| WorkError::Encode(error.to_string()))
            })
        };
        tokio::task::spawn_blocking(merge).await.map_err(|error| WorkError::Encode(error.to_string()))?
    }
}

/// Whether merging may give way to appends, given the rows of a tenant's segments.
fn may_rest(rows: &[u64], policy: &CompactionPolicy) -> bool {
    rows.iter().filter(|rows| **rows <= policy.rows_max / 2).count() < UNMERGED_MAX
}

/// The first run of adjacent segments to merge, given their rows in seq order.
///
/// A run is due when it has `fan_in` segments of one tier, with whatever smaller ones lie between
/// them, or when it fills a segment of `rows_max`.
fn mergeable(rows: &[u64], policy: &CompactionPolicy) -> Option<Range<usize>> {
    let fan_in = policy.fan_in.max(2);
    let tier = |rows: u64| policy.tier_rows.iter().position(|bound| rows < *bound);
    for current in 0..policy.tier_rows.len() {
        let mut start = 0;
        while start < rows.len() {
            // A run begins with a segment of this tier and ends before a larger one.
            if tier(rows[start]) != Some(current) {
                start += 1;
                continue;
            }
            let (mut end, mut sum, mut of_tier) = (start, 0, 0);
            let mut full = false;
            while end < rows.len() && of_tier < fan_in {
                let Some(this) = tier(rows[end]).filter(|this| *this <= current) else { break };
                if sum + rows[end] > policy.rows_max {
                    full = true;
                    break;
                }
                sum += rows[end];
                of_tier += usize::from(this == current);
                end += 1;
            }
            // A full run of few large segments is worth merging if it halves their number.
            if of_tier >= fan_in || (full && of_tier >= 2 && end - start >= 2 && sum > policy.rows_max / 2) {
                return Some(start..end);
            }
            start += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn eight_of_a_tier_are_merged_oldest_first() {
        let policy = CompactionPolicy::default();
        assert_eq!(mergeable(&[1_000; 7], &policy), None);
        assert_eq!(mergeable(&[1_000; 20], &policy), Some(0..8));
        assert_eq!(mergeable(&[20_000, 1_000, 1_000], &policy), None);
        let mut mixed = vec![1_000_000];
        mixed.extend([110_000; 8]);
        assert_eq!(mergeable(&mixed, &policy), Some(1..9));
    }

    #[test]
    fn small_ones_between_large_ones_go_along() {
        let policy = CompactionPolicy::default();
        let rows = [20_000, 300, 20_000, 20_000, 20_000, 20_000, 300, 20_000, 20_000, 20_000];
        assert_eq!(mergeable(&rows, &policy), Some(0..10));
    }

    #[test]
    fn merging_gives_way_until_too_many_segments_wait() {
        let policy = CompactionPolicy::default();
        let mut rows = vec![policy.rows_max; 200];
        assert!(may_rest(&rows, &policy), "merged ones don't count");
        rows.extend([131_072; UNMERGED_MAX - 1]);
        assert!(may_rest(&rows, &policy));
        rows.push(131_072);
        assert!(!may_rest(&rows, &policy));
    }

    proptest! {
        /// However segments arrive, merging ends, stays within the limit, and leaves few segments.
        #[test]
        fn merging_ends_with_few_segments(sealed in prop::collection::vec(256_u64..131_072, 1..300)) {
            let policy = CompactionPolicy::default();
            let (mut rows, mut rewritten) = (Vec::new(), 0);
            for segment in &sealed {
                rows.push(*segment);
                while let Some(run) = mergeable(&rows, &policy) {
                    prop_assert!(run.len() >= 2);
                    let sum: u64 = rows[run.clone()].iter().sum();
                    prop_assert!(sum <= policy.rows_max);
                    rewritten += sum;
                    rows.splice(run, [sum]);
                }
            }
            let total: u64 = sealed.iter().sum();
            let bound = (total / (policy.rows_max / 2)) as usize + policy.fan_in * (policy.tier_rows.len() + 2) * 2;
            prop_assert!(rows.len() <= bound, "{} segments: {:?}", rows.len(), rows);
            prop_assert!(rewritten <= total * 4, "{}", rewritten as f64 / total as f64);
        }
    }
}
