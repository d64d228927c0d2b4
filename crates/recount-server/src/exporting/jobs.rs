//! The runner of export jobs: one at a time on this node, claimed in the catalog.
//!
//! A job survives a restart: a node that stops gives it back, one that dies loses its claim after a
//! minute, and whoever takes it next starts its file anew.

use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use recount_store::access::{AccessError, ExportClaim, ExportOutcome};
use sha2::{Digest as _, Sha256};

use super::{ExportFormat, ExportOptions, FileEncoder, pieces};
use crate::state::AppState;

/// How often other nodes' jobs and expired files are looked for.
const LOOK_INTERVAL: Duration = Duration::from_secs(15);
/// Rest after a failure of catalog or object store.
const FAILURE_PAUSE: Duration = Duration::from_secs(5);
/// Bytes written to the object store at once.
const PART_BYTES: usize = 4 * 1024 * 1024;
/// Progress is shown, and the claim renewed, at least this often.
const RENEW_INTERVAL: Duration = Duration::from_secs(5);

/// How a run of a job came to its end.
enum Run {
    Done,
    /// The job was deleted, or belongs to another node now.
    Lost,
    /// The server stops.
    Interrupted,
}

/// Runs jobs until the server closes; also forgets what has ended of exports and sessions.
pub(crate) async fn run_jobs(state: AppState) {
    let holder = format!("{}/{}", state.store().config().node_name, state.store().env().uuid_v7());
    loop {
        let worked = match work(&state, &holder).await {
            Ok(worked) => worked,
            Err(error) => {
                tracing::warn!(%error, "an export could not be worked on; it will be tried again");
                pause(&state, FAILURE_PAUSE).await;
                false
            }
        };
        if state.closing.is_cancelled() {
            return;
        }
        if !worked {
            tokio::select! {
                () = state.export_made.notified() => {}
                () = pause(&state, LOOK_INTERVAL) => tidy(&state).await,
            }
        }
        if state.closing.is_cancelled() {
            return;
        }
    }
}

async fn pause(state: &AppState, time: Duration) {
    let _ = tokio::time::timeout(time, state.closing.cancelled()).await;
}

async fn tidy(state: &AppState) {
    let tidied = async {
        state.store().expire_exports().await?;
        state.store().remove_ended_portal_sessions().await
    };
    if let Err(error) = tidied.await {
        tracing::debug!(%error, "ended exports and sessions were not tidied up");
    }
}

/// Takes one job and works on it; says whether there was one.
async fn work(state: &AppState, holder: &str) -> Result<bool, AccessError> {
    let Some(mut claim) = state.store().claim_export(holder).await? else { return Ok(false) };
    tracing::info!(export = claim.id(), "export started");
    let mut digest = Sha256::new();
    match write(state, &mut claim, &mut digest).await {
        Ok(Run::Done) => {
            let sha256 = hex::encode(digest.finalize());
            claim.finish(ExportOutcome::Done { sha256 }).await?;
        }
        Ok(Run::Lost) => tracing::info!(export = claim.id(), "export was deleted or taken over"),
        Ok(Run::Interrupted) => claim.release().await?,
        Err(Failure::Lasting(error)) => {
            tracing::error!(export = claim.id(), error, "export failed");
            claim.finish(ExportOutcome::Failed { error }).await?;
        }
        // The claim runs out, and the job is tried again.
        Err(Failure::Passing(error)) => return Err(error),
    }
    Ok(true)
}

enum Failure {
    /// Trying again gives the same.
    Lasting(String),
    /// Trying again may help.
    Passing(AccessError),
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        Self::Passing(error)
    }
}

async fn write(state: &AppState, claim: &mut ExportClaim, digest: &mut Sha256) -> Result<Run, Failure> {
    let format = ExportFormat::parse(claim.format())
        .ok_or_else(|| Failure::Lasting(format!("unknown format {}", claim.format())))?;
    let options: ExportOptions = claim
        .options()
        .map_or_else(|| Ok(ExportOptions::default()), serde_json::from_str)
        .map_err(|error| Failure::Lasting(format!("its options are not readable: {error}")))?;
    let view =
        options.view(format).map_err(|(member, detail)| Failure::Lasting(format!("{member}: {detail}")))?;
    let (log, query) = claim.question()?;
    let mut pieces = pin!(pieces(FileEncoder::new(format, view), log.scan(query)));
    let mut part = BytesMut::new();
    let mut rows = 0;
    let mut renewals = tokio::time::interval(RENEW_INTERVAL);
    renewals.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let piece = tokio::select! {
            piece = pieces.next() => piece.transpose().map_err(|error| read_failure(&error))?,
            // Also while one piece takes long: what is rare in a large log.
            _ = renewals.tick() => {
                if claim.renew().await? {
                    continue;
                }
                return Ok(Run::Lost);
            }
            () = state.closing.cancelled() => return Ok(Run::Interrupted),
        };
        let done = piece.is_none();
        if let Some(piece) = piece {
            rows += piece.events;
            part.extend_from_slice(&piece.bytes);
        }
        if done || part.len() >= PART_BYTES {
            let bytes: Bytes = part.split().freeze();
            digest.update(&bytes);
            claim.write(bytes, std::mem::take(&mut rows)).await?;
        }
        if done {
            return Ok(Run::Done);
        }
    }
}

fn read_failure(error: &recount_store::ReadError) -> Failure {
    use recount_store::ReadError;
    match error {
        ReadError::Corrupt { .. }
        | ReadError::NotFound
        | ReadError::Invalid { .. }
        | ReadError::TooExpensive { .. } => Failure::Lasting(error.to_string()),
        error => Failure::Passing(AccessError::Unavailable { detail: error.to_string() }),
    }
}
