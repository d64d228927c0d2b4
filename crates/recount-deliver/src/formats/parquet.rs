//! Events as Parquet files, readable by anything that reads Parquet.

mod schema;

use std::sync::Arc;

use ::parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};
use arrow_json::ReaderBuilder;
use arrow_schema::SchemaRef;
use recount_event::read_fields;
use recount_store::StoredEvent;
use serde_json::{Value, json};

use super::{EncodeError, OcsfVersion, ocsf};

/// Rows that are decoded at once.
const ROWS_PER_BATCH: usize = 4_096;

/// Rows per row group: Security Lake's consumers like groups of some tens of megabytes.
const ROW_GROUP_ROWS_MAX: usize = 131_072;

/// The level that costs little; files are at most some tens of megabytes.
const ZSTD_LEVEL: i32 = 3;

/// OCSF events, sorted by time, with the columns that the mapping can fill.
///
/// `unmapped` is a text column with JSON in it. The same events give the same bytes.
///
/// # Errors
/// [`EncodeError`] if a stored line is damaged.
pub fn ocsf_parquet(events: &[&StoredEvent], version: OcsfVersion) -> Result<Vec<u8>, EncodeError> {
    let mut rows = Vec::with_capacity(events.len());
    for event in events {
        let mut record = ocsf::record(event, version)?;
        if let Some(unmapped) = record.unmapped {
            record.attributes.insert("unmapped".to_owned(), unmapped.into());
        }
        rows.push(Value::Object(record.attributes));
    }
    rows.sort_by_key(|row| row["time"].as_i64());
    write(schema::ocsf(), &rows)
}

/// Recount's own events: narrow columns for what is filtered by, and the event itself as JSON.
///
/// # Errors
/// [`EncodeError`] if a stored line is damaged.
pub fn recount_parquet(events: &[&StoredEvent]) -> Result<Vec<u8>, EncodeError> {
    let mut rows = Vec::with_capacity(events.len());
    for event in events {
        let fields = read_fields(&event.line).map_err(|error| EncodeError::corrupt(event, &error))?;
        let targets: Vec<Value> = fields
            .targets
            .iter()
            .map(|target| json!({"type": target.kind, "id": target.id, "name": target.name}))
            .collect();
        rows.push(json!({
            "seq": event.seq,
            "received_at": event.received_at.to_string(),
            "occurred_at": fields.occurred_at.to_string(),
            "id": fields.id,
            "tenant": fields.tenant,
            "action": fields.action,
            "outcome": fields.outcome.as_str(),
            "source": fields.source,
            "actor_type": fields.actor_type,
            "actor_id": fields.actor_id,
            "actor_name": fields.actor_name,
            "actor_email": fields.actor_email,
            "targets": targets,
            "ip": fields.ip,
            "user_agent": fields.user_agent,
            "description": fields.description,
            "reason": fields.reason,
            "metadata": fields.metadata,
            "event": event.line.as_ref(),
        }));
    }
    write(schema::recount(), &rows)
}

fn write(schema: SchemaRef, rows: &[Value]) -> Result<Vec<u8>, EncodeError> {
    let failed = |detail: String| EncodeError::Parquet { detail };
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).expect("a level of zstd's")))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
        .set_created_by("recount".to_owned())
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties))
        .map_err(|error| failed(error.to_string()))?;
    let mut decoder = ReaderBuilder::new(schema)
        .with_batch_size(ROWS_PER_BATCH)
        .build_decoder()
        .map_err(|error| failed(error.to_string()))?;
    for chunk in rows.chunks(ROWS_PER_BATCH) {
        decoder.serialize(chunk).map_err(|error| failed(error.to_string()))?;
        if let Some(batch) = decoder.flush().map_err(|error| failed(error.to_string()))? {
            writer.write(&batch).map_err(|error| failed(error.to_string()))?;
        }
    }
    writer.into_inner().map_err(|error| failed(error.to_string()))
}
