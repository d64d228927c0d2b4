//! Reading a request's body into memory: bounded in bytes, and in the time between two chunks.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;

use super::{BodyBudget, BodyPermit};
use crate::config::ServerLimits;
use crate::problem::{Problem, ProblemCode};

/// What is reserved for a body that does not say how long it is.
const UNKNOWN_LENGTH_BYTES: usize = 64 * 1024;
/// What is read and dropped of a body that is refused: a client that is still sending when the
/// connection is closed sees a broken pipe instead of the answer.
const DRAINED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Reads the whole body, at most `bytes_max`.
///
/// # Errors
/// 413 past `bytes_max`, 408 if the client pauses too long, 400 if it goes away, 429 when the
/// budget is spent.
pub(crate) async fn collect(
    headers: &HeaderMap,
    mut body: Body,
    bytes_max: usize,
    budget: &BodyBudget,
    limits: &ServerLimits,
) -> Result<(Bytes, BodyPermit), Problem> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<usize>().ok());
    if announced.is_some_and(|length| length > bytes_max) {
        drain(body, limits).await;
        return Err(too_large(bytes_max));
    }
    let mut permit = match budget.reserve(announced.unwrap_or(UNKNOWN_LENGTH_BYTES).max(1)).await {
        Ok(permit) => permit,
        Err(busy) => {
            drain(body, limits).await;
            return Err(busy);
        }
    };
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    loop {
        let frame = tokio::time::timeout(limits.body_idle_timeout, body.frame()).await.map_err(|_| {
            let seconds = limits.body_idle_timeout.as_secs();
            Problem::new(ProblemCode::RequestTimeout, format!("no byte of the body arrived for {seconds} s"))
        })?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|error| {
            Problem::new(ProblemCode::TruncatedBody, format!("the body did not arrive whole: {error}"))
        })?;
        let Ok(chunk) = frame.into_data() else { continue };
        let length = first.len() + whole.len() + chunk.len();
        let refused = if length > bytes_max { Err(too_large(bytes_max)) } else { permit.grow_to(length) };
        if let Err(refused) = refused {
            // Others may have the room meanwhile.
            drop((first, whole, permit));
            drain(body, limits).await;
            return Err(refused);
        }
        // A body that came in one piece is used where it lies.
        if first.is_empty() && whole.is_empty() {
            first = chunk;
            continue;
        }
        if whole.is_empty() {
            whole.reserve(announced.unwrap_or(0).max(length));
            whole.extend_from_slice(&std::mem::take(&mut first));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok((if whole.is_empty() { first } else { whole.freeze() }, permit))
}

/// Ends after the time that a client may pause, however slowly it goes on sending.
async fn drain(mut body: Body, limits: &ServerLimits) {
    let dropping = async {
        let mut left = DRAINED_BYTES_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else { return };
            left = rest;
        }
    };
    let _ = tokio::time::timeout(limits.body_idle_timeout, dropping).await;
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::new(
        ProblemCode::BodyTooLarge,
        format!("the body is longer than {bytes_max} bytes; send smaller batches"),
    )
}
