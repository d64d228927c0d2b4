//! The import itself: a thread that reads and maps, a few requests under way at a time, and one
//! place that keeps account of what became of every record.

mod prepare;
mod send;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc;

use super::input::{Format, Source};
use super::map::Map;
use super::progress::Progress;
use super::rejects::{Reject, RejectsFile};
use super::state::State;
use crate::client::Client;
use crate::exit::{Exit, Failed};
use prepare::{Batch, Preparer};
use send::Answered;

/// Rejected records that are shown one by one.
const REJECTS_SHOWN_MAX: u64 = 20;
/// Between two looks at the counters.
const TICK: Duration = Duration::from_millis(200);
/// The state is saved at most this often.
const STATE_INTERVAL_TICKS: u32 = 10;

/// What to import, and how.
#[derive(Debug)]
pub struct Options {
    /// Where records come from, in order.
    pub sources: Vec<Source>,
    /// Their shape.
    pub format: Format,
    /// How they become events; `None` for Recount's own.
    pub map: Option<Map>,
    /// Their tenant, if neither the records nor the key say.
    pub tenant: Option<String>,
    /// Map and check, but send nothing.
    pub dry_run: bool,
    /// Print so many of the first events.
    pub show: u64,
    /// Requests under way at a time.
    pub concurrency: usize,
    /// Events in one request.
    pub batch_events: usize,
    /// How long to go on trying while the server is busy or away.
    pub patience: Duration,
    /// Where rejected records go.
    pub rejects: Option<PathBuf>,
    /// Where the progress is kept.
    pub resume: Option<PathBuf>,
    /// Show no progress.
    pub quiet: bool,
}

/// What became of the records.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Summary {
    /// Records read in this run.
    pub records: u64,
    /// Events that the server did not have.
    pub new: u64,
    /// Events that it had already.
    pub known: u64,
    /// Records that were not imported.
    pub rejected: u64,
    /// Events of which something was cut to fit the limits; they count as new or known too.
    pub cut: u64,
    /// Events that another Recount wrote about itself, which were left out.
    pub left_out: u64,
    /// Records that an earlier run had done, which were passed over.
    pub passed_over: u64,
    /// Last records that are still being written and were left for the next run.
    pub unfinished: u64,
    /// Whether nothing was sent.
    pub dry_run: bool,
    /// How long it took.
    pub seconds: f64,
}

/// Imports, and tells what became of every record.
///
/// # Errors
/// If it had to stop: what was acknowledged until then is stored, and repeating is safe.
pub async fn run(client: &Client, options: Options) -> Result<Summary, Failed> {
    let state = options.resume.as_deref().map(|path| State::open(path, &options.sources)).transpose()?;
    let rejects = options
        .rejects
        .as_deref()
        .map(|path| RejectsFile::open(path, options.resume.is_some()))
        .transpose()?;
    let sizes: Option<Vec<u64>> = options.sources.iter().map(Source::size_bytes).collect();
    let progress = Progress::begin(sizes.map(|sizes| sizes.iter().sum()), options.quiet);
    let options = Arc::new(options);
    let stop = Arc::new(AtomicBool::new(false));
    let bytes_read = Arc::new(AtomicU64::new(0));

    let (batches, mut prepared) = mpsc::channel::<Result<Batch, Failed>>(options.concurrency);
    let skip: Vec<u64> =
        options.sources.iter().map(|source| state.as_ref().map_or(0, |state| state.done(source))).collect();
    let preparer = Preparer::new(Arc::clone(&options), skip, Arc::clone(&stop), Arc::clone(&bytes_read));
    let reader = std::thread::Builder::new()
        .name("import-reader".to_owned())
        .spawn(move || preparer.run(&batches))
        .map_err(|error| Failed::new(Exit::Failure, format!("cannot start a thread: {error}")))?;

    let mut account = Account {
        summary: Summary::default(),
        state,
        rejects,
        progress,
        waiting: BTreeMap::new(),
        next: 0,
        options: Arc::clone(&options),
    };
    account.summary.dry_run = options.dry_run;
    let mut under_way = FuturesUnordered::new();
    let mut failure: Option<Failed> = None;
    let mut reading = true;
    let mut ticks = 0;
    let mut tick = tokio::time::interval(TICK);
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            batch = prepared.recv(), if reading && under_way.len() < options.concurrency => match batch {
                Some(Ok(batch)) => under_way.push(send::send(client, &options, batch)),
                Some(Err(failed)) => {
                    failure = failure.or(Some(failed));
                    reading = false;
                }
                None => reading = false,
            },
            Some(answered) = under_way.next(), if !under_way.is_empty() => {
                if let Err(failed) = answered.and_then(|answered| account.note(answered)) {
                    failure = failure.or(Some(failed));
                    reading = false;
                }
            }
            _ = tick.tick() => {
                account.show(bytes_read.load(Ordering::Relaxed));
                ticks += 1;
                if ticks % STATE_INTERVAL_TICKS == 0 {
                    account.save()?;
                }
            }
            // At once: what is under way may wait for a busy server for minutes, and is sent again
            // next time, which adds nothing twice.
            _ = &mut interrupted => {
                failure = failure.or_else(|| Some(Failed::new(Exit::Interrupted, "interrupted")));
                break;
            }
        }
        if !reading && under_way.is_empty() {
            break;
        }
    }
    stop.store(true, Ordering::Relaxed);
    // What is prepared and not sent is read again next time.
    prepared.close();
    while prepared.try_recv().is_ok() {}
    drop(prepared);
    if failure.is_none() {
        let _ = reader.join();
    }
    // After a failure the reader may wait for standard input; the end of the program ends it.
    account.end()?;
    match failure {
        None => Ok(account.summary),
        Some(failed) => Err(account.stopped(failed)),
    }
}

/// Keeps account of what became of every record.
struct Account {
    summary: Summary,
    state: Option<State>,
    rejects: Option<RejectsFile>,
    progress: Progress,
    /// Answered batches by number that wait for an earlier one, with how far each goes.
    waiting: BTreeMap<u64, (usize, u64)>,
    next: u64,
    options: Arc<Options>,
}

impl Account {
    fn note(&mut self, answered: Answered) -> Result<(), Failed> {
        let Answered { batch, new, known, rejects } = answered;
        self.summary.new += new;
        self.summary.known += known;
        self.summary.records += batch.records;
        self.summary.cut += batch.cut;
        self.summary.left_out += batch.left_out;
        self.summary.passed_over += batch.passed_over;
        if let Some(line) = batch.unfinished {
            self.summary.unfinished += 1;
            let file = self.options.sources[batch.source].name();
            self.progress
                .say(&format!("{file}:{line}: the last line has no end yet; it is left for the next run"));
        }
        for reject in batch.rejects.iter().chain(&rejects) {
            self.reject(reject)?;
        }
        // The state moves on only over batches without a hole before them.
        self.waiting.insert(batch.number, (batch.source, batch.upto));
        while let Some((source, upto)) = self.waiting.remove(&self.next) {
            self.next += 1;
            if let Some(state) = &mut self.state {
                state.advance(&self.options.sources[source], upto);
            }
        }
        Ok(())
    }

    fn reject(&mut self, reject: &Reject) -> Result<(), Failed> {
        self.summary.rejected += 1;
        if self.summary.rejected <= REJECTS_SHOWN_MAX {
            let reason = crate::output::safe(&reject.reason);
            self.progress.say(&format!("{}:{}: {reason}", reject.file, reject.line));
        } else if self.summary.rejected == REJECTS_SHOWN_MAX + 1 {
            let more = if self.options.rejects.is_some() { "" } else { "; --rejects FILE keeps them all" };
            self.progress.say(&format!("… further rejected records are only counted{more}"));
        }
        self.rejects.as_mut().map_or(Ok(()), |file| file.add(reject))
    }

    fn show(&mut self, bytes: u64) {
        self.progress.update(bytes, self.summary.records, self.summary.rejected);
    }

    fn save(&mut self) -> Result<(), Failed> {
        if let Some(rejects) = &mut self.rejects {
            rejects.flush()?;
        }
        match (&self.state, &self.options.resume) {
            (Some(state), Some(path)) if !self.options.dry_run => state.save(path),
            _ => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), Failed> {
        self.summary.seconds = self.progress.elapsed().as_secs_f64();
        self.progress.end();
        self.save()
    }

    /// Says how far it came, with the reason why it stopped.
    fn stopped(&self, failed: Failed) -> Failed {
        let Summary { records, new, known, .. } = self.summary;
        // A mistake that stopped it at once is not mended by running it again.
        if records == 0 && !matches!(failed.exit, Exit::Unreachable | Exit::Interrupted) {
            return failed;
        }
        let how = match &self.options.resume {
            Some(_) => "run the same command again to go on from here",
            None => {
                "run the same command again: what is stored is not added twice (--resume FILE also skips it)"
            }
        };
        failed.hint(format!("{records} records were done ({new} new, {known} known); {how}"))
    }
}
