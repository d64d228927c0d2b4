//! Checkpoints of SQLite's write-ahead log, so that no commit has to pay for one.
//!
//! A passive checkpoint copies pages while appends go on, but it never finishes while they do, and
//! then the log grows for ever. So above a size the rest, which is small, is copied while the
//! writer waits; the next commit begins the log anew.

use std::path::Path;
use std::time::{Duration, Instant};

use metrics::{gauge, histogram};
use sqlx::SqlitePool;
use tokio_util::sync::CancellationToken;

use crate::catalog::{Catalog, Pool};
use crate::measure;

/// How often the log's size is looked at. Under load, appends and folds write the same few thousand pages again and
/// again, which are then copied once in a while only.
const INTERVAL: Duration = Duration::from_secs(2);
/// Below this a checkpoint is not worth it.
const CHECKPOINT_BYTES: u64 = 8 * 1024 * 1024;
/// Above this the writer waits for the rest of the checkpoint.
const RESTART_BYTES: u64 = 64 * 1024 * 1024;

/// Checkpoints until cancelled; returns at once on PostgreSQL.
pub(crate) async fn run(catalog: Catalog, cancel: CancellationToken) {
    let Pool::Sqlite { read, write, path } = catalog.pool() else { return };
    let wal = {
        let mut name = path.as_os_str().to_owned();
        name.push("-wal");
        std::path::PathBuf::from(name)
    };
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let bytes = size(&wal);
        #[expect(clippy::cast_precision_loss, reason = "metrics are floating-point")]
        gauge!(measure::WAL_BYTES).set(bytes as f64);
        if bytes < CHECKPOINT_BYTES {
            continue;
        }
        let started = Instant::now();
        let mut result = passive(read).await;
        if let Ok(pages) = &result
            && pages.in_log_bytes() >= RESTART_BYTES
        {
            result = passive(write).await;
        }
        match result {
            Ok(_) => histogram!(measure::CHECKPOINT_SECONDS).record(started.elapsed()),
            Err(error) => tracing::warn!(error = %error, "a checkpoint of the catalog failed"),
        }
    }
}

struct Pages {
    in_log: i64,
}

impl Pages {
    fn in_log_bytes(&self) -> u64 {
        const PAGE_BYTES: u64 = 8_192;
        self.in_log.max(0).cast_unsigned() * PAGE_BYTES
    }
}

async fn passive(pool: &SqlitePool) -> Result<Pages, sqlx::Error> {
    let (_busy, in_log, _copied): (i64, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(pool).await?;
    Ok(Pages { in_log })
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}
