//! Reads records, maps them to events that fit, and makes batches. Runs on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use recount_event::{EventErrorCode, ParseContext, TenantId, parse_event};
use tokio::sync::mpsc;

use super::Options;
use crate::exit::{Exit, Failed};
use crate::import::fit::fit;
use crate::import::input::Source;
use crate::import::json::{Json, without_space};
use crate::import::native::{Native, native_event, nested};
use crate::import::records::Record;
use crate::import::rejects::Reject;
use crate::output;

/// A batch has at most so many bytes of events.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A batch ends after so many records even if few became events, so that progress shows.
const BATCH_RECORDS_MAX: u64 = 20_000;

/// Events to be sent together, and what became of the records between them.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) number: u64,
    /// Which source it is of, and how many records of it are done with this batch.
    pub(super) source: usize,
    pub(super) upto: u64,
    pub(super) events: Vec<Event>,
    pub(super) rejects: Vec<Reject>,
    pub(super) records: u64,
    pub(super) cut: u64,
    pub(super) left_out: u64,
    pub(super) passed_over: u64,
    /// The line on which a record begins that is still being written, after these.
    pub(super) unfinished: Option<u64>,
    bytes: usize,
}

/// One event with the place of its record.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) line: String,
    pub(super) source_line: u64,
    /// The record itself, if rejects are kept.
    pub(super) record: String,
}

/// What a record became.
enum Prepared {
    Event { line: String, cut: bool },
    LeftOut,
    Reject(String),
}

pub(super) struct Preparer {
    options: Arc<Options>,
    skip: Vec<u64>,
    stop: Arc<AtomicBool>,
    bytes_read: Arc<AtomicU64>,
    shown: u64,
    batches: u64,
    /// Stands for the tenant that the key implies while an event is checked here.
    implied: TenantId,
}

impl Preparer {
    pub(super) fn new(
        options: Arc<Options>,
        skip: Vec<u64>,
        stop: Arc<AtomicBool>,
        bytes_read: Arc<AtomicU64>,
    ) -> Self {
        let implied = "implied".parse().expect("a tenant's name");
        Self { options, skip, stop, bytes_read, shown: 0, batches: 0, implied }
    }

    /// Reads all sources. What goes wrong with a source as a whole is sent last.
    pub(super) fn run(mut self, out: &mpsc::Sender<Result<Batch, Failed>>) {
        let options = Arc::clone(&self.options);
        for (index, source) in options.sources.iter().enumerate() {
            if let Err(failed) = self.source(index, source, out) {
                // If nobody listens any more, there is nothing left to do.
                let _ = out.blocking_send(Err(failed));
                return;
            }
        }
    }

    fn source(
        &mut self,
        index: usize,
        source: &Source,
        out: &mpsc::Sender<Result<Batch, Failed>>,
    ) -> Result<(), Failed> {
        let name = source.name();
        let unreadable = |error: std::io::Error| {
            let exit =
                if error.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Failure };
            Failed::new(exit, format!("cannot read {name}: {error}"))
        };
        let default_wrappers = ["Records".to_owned()];
        let wrappers = self.options.map.as_ref().map_or(&default_wrappers[..], |map| map.wrappers());
        let mut records =
            source.open(self.options.format, wrappers, Arc::clone(&self.bytes_read)).map_err(unreadable)?;
        let is_table = records.is_table();
        let mut number = 0;
        let mut batch = Batch { source: index, ..Batch::default() };
        while let Some(record) = records
            .next_record()
            .map_err(unreadable)
            .or_else(|failed| self.give_up(&mut batch, out, failed))?
        {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            // What is counted as done is passed over by the next run, so half a record is not.
            if self.options.resume.is_some() && record.is_unfinished(is_table) {
                batch.unfinished = Some(record.line);
                break;
            }
            number += 1;
            batch.upto = number;
            if number <= self.skip[index] {
                batch.passed_over += 1;
                continue;
            }
            self.take(&mut batch, &name, record, is_table)?;
            let full = batch.events.len() >= self.options.batch_events
                || batch.bytes >= BATCH_BYTES_MAX
                || batch.records >= BATCH_RECORDS_MAX;
            if full && !self.hand_over(&mut batch, out) {
                return Ok(());
            }
        }
        self.hand_over(&mut batch, out);
        Ok(())
    }

    /// Hands over what was good before an input broke.
    fn give_up(
        &mut self,
        batch: &mut Batch,
        out: &mpsc::Sender<Result<Batch, Failed>>,
        failed: Failed,
    ) -> Result<Option<Record>, Failed> {
        self.hand_over(batch, out);
        Err(failed)
    }

    /// Sends a batch on; false if nobody wants it any more.
    fn hand_over(&mut self, batch: &mut Batch, out: &mpsc::Sender<Result<Batch, Failed>>) -> bool {
        let empty = Batch { source: batch.source, upto: batch.upto, ..Batch::default() };
        let mut full = std::mem::replace(batch, empty);
        if full.records == 0 && full.passed_over == 0 && full.unfinished.is_none() {
            return true;
        }
        full.number = self.batches;
        self.batches += 1;
        out.blocking_send(Ok(full)).is_ok()
    }

    fn take(&mut self, batch: &mut Batch, name: &str, record: Record, is_table: bool) -> Result<(), Failed> {
        batch.records += 1;
        let reject = |reason: String, record_text: String| Reject {
            file: name.to_owned(),
            line: record.line,
            reason,
            record: record_text,
        };
        let text = match record.text {
            Ok(text) => text,
            Err(unusable) => {
                batch.rejects.push(reject(unusable.reason, unusable.text));
                return Ok(());
            }
        };
        match self.prepare(&text, is_table) {
            Prepared::LeftOut => batch.left_out += 1,
            Prepared::Reject(reason) => batch.rejects.push(reject(reason, text)),
            Prepared::Event { line, cut } => {
                batch.cut += u64::from(cut);
                batch.bytes += line.len();
                if self.shown < self.options.show {
                    self.shown += 1;
                    output::line(&line)?;
                }
                let kept = if self.options.rejects.is_some() { text } else { String::new() };
                batch.events.push(Event { line, source_line: record.line, record: kept });
            }
        }
        Ok(())
    }

    fn prepare(&self, text: &str, is_table: bool) -> Prepared {
        // Events are sent a line each, and parts of the record are copied into them as they are.
        let one_line = if text.contains(['\n', '\r']) { without_space(text) } else { String::new() };
        let text = if one_line.is_empty() { text } else { &one_line };
        let json = match Json::parse(text) {
            Ok(json) => json,
            Err(error) => return Prepared::Reject(format!("not JSON: {error}")),
        };
        let tenant = self.options.tenant.as_deref();
        let Some(map) = &self.options.map else {
            let nested_text = if is_table { nested(&json) } else { String::new() };
            let json = if is_table { Json::parse(&nested_text).unwrap_or(json) } else { json };
            let names_tenant = tenant.is_some() || json.members().iter().any(|(name, _)| name == "tenant");
            return match native_event(&json, tenant) {
                Ok(Native::Event(line)) => match self.check(&line, names_tenant) {
                    Ok(()) => Prepared::Event { line, cut: false },
                    Err((_, reason)) => Prepared::Reject(reason),
                },
                Ok(Native::Own) => Prepared::LeftOut,
                Err(error) => Prepared::Reject(error.to_string()),
            };
        };
        let inner_text = map
            .unwrap(&json)
            .map(|inner| if inner.contains(['\n', '\r']) { without_space(&inner) } else { inner });
        let json = match inner_text.as_deref().map_or(Ok(json), Json::parse) {
            Ok(json) => json,
            Err(error) => return Prepared::Reject(format!("the record within is not JSON: {error}")),
        };
        let mut parts = match map.apply(&json, tenant) {
            Ok(parts) => parts,
            Err(error) => return Prepared::Reject(error.to_string()),
        };
        let names_tenant = parts.tenant.is_some();
        let line = parts.to_line();
        match self.check(&line, names_tenant) {
            Ok(()) => Prepared::Event { line, cut: false },
            Err((code, reason)) if can_be_cut(code) => {
                if !fit(&mut parts) {
                    return Prepared::Reject(reason);
                }
                let line = parts.to_line();
                match self.check(&line, names_tenant) {
                    Ok(()) => Prepared::Event { line, cut: true },
                    Err((_, reason)) => Prepared::Reject(reason),
                }
            }
            Err((_, reason)) => Prepared::Reject(reason),
        }
    }

    /// Checks an event as the server will. One that names no tenant is left to the key's.
    fn check(&self, line: &str, names_tenant: bool) -> Result<(), (EventErrorCode, String)> {
        let context =
            ParseContext { tenant: (!names_tenant).then_some(&self.implied), allow_own_actions: false };
        match parse_event(line, &context, &mut || uuid::Uuid::nil()) {
            Ok(_) => Ok(()),
            Err(error) => {
                let place =
                    if error.pointer.is_empty() { String::new() } else { format!(" (at {})", error.pointer) };
                Err((error.code, format!("{}{place}", error.detail)))
            }
        }
    }
}

/// Mistakes that cutting mends.
fn can_be_cut(code: EventErrorCode) -> bool {
    matches!(
        code,
        EventErrorCode::EventTooLarge
            | EventErrorCode::TooDeep
            | EventErrorCode::TooMany
            | EventErrorCode::StringTooLong
            | EventErrorCode::CharacterNotAllowed
            | EventErrorCode::NumberOutOfRange
            | EventErrorCode::DuplicateMember
    )
}
