//! Events as one Parquet file, written row group by row group, so that memory stays bounded
//! whatever the size of the answer.

use std::sync::Arc;

use arrow_array::builder::{Int64Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use recount_event::read_fields;
use recount_store::{ReadError, StoredEvent};

/// Rows of a row group: what a writer holds in memory, some tens of megabytes.
const ROW_GROUP_ROWS_MAX: usize = 32_768;
/// A level that costs little.
const ZSTD_LEVEL: i32 = 3;
/// Text columns beside the times and `seq`, in order; `event` is the whole event as the API serves it.
const TEXT_COLUMNS: [&str; 23] = [
    "id",
    "tenant",
    "action",
    "outcome",
    "source",
    "actor_type",
    "actor_id",
    "actor_name",
    "actor_email",
    "target_type",
    "target_id",
    "target_name",
    "targets",
    "ip",
    "user_agent",
    "location",
    "session_id",
    "request_id",
    "description",
    "reason",
    "changes",
    "tags",
    "metadata",
];
const EVENT_COLUMN: &str = "event";
const UTC: &str = "UTC";

/// A Parquet file that is being written.
pub(crate) struct ParquetRows {
    schema: SchemaRef,
    writer: ArrowWriter<Vec<u8>>,
}

impl ParquetRows {
    /// Begins a file.
    pub(super) fn new() -> Self {
        let time = || DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()));
        let mut fields = vec![
            Field::new("seq", DataType::Int64, false),
            Field::new("occurred_at", time(), false),
            Field::new("received_at", time(), false),
        ];
        fields.extend(TEXT_COLUMNS.iter().map(|name| Field::new(*name, DataType::Utf8, true)));
        fields.push(Field::new(EVENT_COLUMN, DataType::Utf8, false));
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).expect("a level of zstd's")))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
            .set_created_by("recount".to_owned())
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties))
            .expect("the schema is Parquet's too");
        Self { schema, writer }
    }

    /// Takes events; gives what of the file is ready, often nothing.
    ///
    /// # Errors
    /// If a stored line is damaged.
    pub(super) fn rows(&mut self, events: &[StoredEvent]) -> Result<Bytes, ReadError> {
        let batch = self.batch(events)?;
        self.writer.write(&batch).expect("writing to memory can't fail");
        Ok(std::mem::take(self.writer.inner_mut()).into())
    }

    /// The rest of the file.
    pub(super) fn end(&mut self) -> Bytes {
        self.writer.finish().expect("writing to memory can't fail");
        std::mem::take(self.writer.inner_mut()).into()
    }

    fn batch(&self, events: &[StoredEvent]) -> Result<RecordBatch, ReadError> {
        let mut seqs = Int64Builder::with_capacity(events.len());
        let mut occurred = TimestampMicrosecondBuilder::with_capacity(events.len()).with_timezone(UTC);
        let mut received = TimestampMicrosecondBuilder::with_capacity(events.len()).with_timezone(UTC);
        let mut texts: Vec<StringBuilder> = TEXT_COLUMNS.iter().map(|_| StringBuilder::new()).collect();
        let mut whole = StringBuilder::new();
        let mut served = Vec::new();
        for event in events {
            let fields = read_fields(&event.line).map_err(|error| ReadError::Corrupt {
                object: format!("event with seq {}", event.seq),
                what: error.to_string(),
            })?;
            seqs.append_value(event.seq.cast_signed());
            occurred.append_value(fields.occurred_at.as_micros());
            received.append_value(event.received_at.as_micros());
            let targets = super::csv_rows::targets(&fields);
            let target = fields.targets.first();
            let row: [Option<&str>; TEXT_COLUMNS.len()] = [
                Some(&fields.id),
                Some(&fields.tenant),
                Some(&fields.action),
                Some(super::csv_rows::outcome(&fields)),
                fields.source.as_deref(),
                Some(&fields.actor_type),
                Some(&fields.actor_id),
                fields.actor_name.as_deref(),
                fields.actor_email.as_deref(),
                target.map(|target| &*target.kind),
                target.map(|target| &*target.id),
                target.and_then(|target| target.name.as_deref()),
                Some(targets.as_str()).filter(|targets| !targets.is_empty()),
                fields.ip.as_deref(),
                fields.user_agent.as_deref(),
                fields.location.as_deref(),
                fields.session_id.as_deref(),
                fields.request_id.as_deref(),
                fields.description.as_deref(),
                fields.reason.as_deref(),
                fields.changes,
                fields.tags,
                fields.metadata,
            ];
            for (builder, value) in texts.iter_mut().zip(row) {
                builder.append_option(value);
            }
            served.clear();
            event.write_json(&mut served);
            whole.append_value(std::str::from_utf8(&served).expect("a line is text"));
        }
        let mut columns: Vec<ArrayRef> =
            vec![Arc::new(seqs.finish()), Arc::new(occurred.finish()), Arc::new(received.finish())];
        columns.extend(texts.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef));
        columns.push(Arc::new(whole.finish()));
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .expect("one column per field, all of one length"))
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray as _;
    use arrow_array::types::Int64Type;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use recount_event::{ParseContext, Timestamp, parse_event};

    use super::*;

    fn stored(seq: u64) -> StoredEvent {
        let json = format!(
            r#"{{"id":"e{seq}","tenant":"acme","occurred_at":"2026-11-23T14:32:07Z","action":"a","actor":{{"type":"user","id":"=1+1"}}}}"#
        );
        let context = ParseContext { tenant: None, allow_own_actions: false };
        let event = parse_event(&json, &context, &mut || uuid::Uuid::nil()).expect("valid event");
        StoredEvent { seq, received_at: Timestamp::from_micros(1), line: event.line.into() }
    }

    #[test]
    fn the_pieces_are_one_readable_file_and_memory_is_given_back() {
        const EVENTS: u64 = 2 * ROW_GROUP_ROWS_MAX as u64 + 500;
        let mut rows = ParquetRows::new();
        let mut file = Vec::new();
        for start in (0..EVENTS).step_by(1_000) {
            let events: Vec<_> = (start..EVENTS.min(start + 1_000)).map(stored).collect();
            file.extend_from_slice(&rows.rows(&events).expect("valid"));
        }
        assert!(file.len() > 1_000, "row groups leave as they are done");
        file.extend_from_slice(&rows.end());
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file))
            .expect("a Parquet file")
            .build()
            .expect("readable");
        let mut next = 0;
        for batch in reader {
            let batch = batch.expect("readable");
            for (row, seq) in batch["seq"].as_primitive::<Int64Type>().values().iter().enumerate() {
                assert_eq!(*seq, next);
                assert_eq!(batch["actor_id"].as_string::<i32>().value(row), "=1+1");
                next += 1;
            }
        }
        assert_eq!(next, EVENTS.cast_signed());
    }

    #[test]
    fn an_empty_answer_is_a_file_too() {
        let mut rows = ParquetRows::new();
        assert!(ParquetRecordBatchReaderBuilder::try_new(rows.end()).is_ok());
    }
}
