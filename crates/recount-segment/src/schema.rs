//! The file's schema, its fixed sizes and its metadata.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::{ColumnPath, Type, TypePtr};
use serde::{Deserialize, Serialize};

use crate::column::{ColumnId, ColumnKind};

/// Version of the format, written as `recount.segment.version`.
pub const FORMAT_VERSION: u32 = 1;
/// Rows of a block: the unit of token filters and of the narrow columns' pages.
pub const BLOCK_ROWS: usize = 8_192;
/// Most rows of a row group.
pub const ROW_GROUP_ROWS_MAX: usize = 131_072;
/// Most rows of a segment.
pub const SEGMENT_ROWS_MAX: u64 = 1 << 24;
/// Bytes of lines after which a row group ends even if it has fewer rows.
pub(crate) const ROW_GROUP_LINE_BYTES_MAX: u64 = 256 << 20;

/// Uncompressed bytes of a page of lines: larger pages compress better, smaller ones cost less to read one line of.
pub(crate) const LINE_PAGE_BYTES: usize = 128 << 10;

/// Name of the column of lines.
pub(crate) const BODY: &str = "body";
/// Position of the column of lines.
pub(crate) const BODY_INDEX: usize = ColumnId::COUNT;
/// Columns in the file.
pub(crate) const FILE_COLUMNS: usize = ColumnId::COUNT + 1;

/// Metadata key of [`FORMAT_VERSION`].
pub(crate) const KEY_VERSION: &str = "recount.segment.version";
/// Metadata key of [`Description`], as JSON.
pub(crate) const KEY_DESCRIPTION: &str = "recount.segment";
/// Metadata key of the seal: 16 hexadecimal digits of the offset where the sealed end of the file starts and 8 of
/// the CRC-32 of that end, taken with these 24 digits as zeros.
pub(crate) const KEY_SEAL: &str = "recount.segment.seal";
/// Digits of the seal.
pub(crate) const SEAL_DIGITS: usize = 24;

/// What the footer says about the segment beside Parquet's own metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Description {
    pub(crate) tenant: String,
    pub(crate) rows: u64,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    /// Microseconds since 1970, as all times here.
    pub(crate) min_occurred_at: i64,
    pub(crate) max_occurred_at: i64,
    pub(crate) min_received_at: i64,
    pub(crate) max_received_at: i64,
    pub(crate) id_filter: Part,
    pub(crate) checksums: Part,
    pub(crate) row_groups: Vec<RowGroupDescription>,
}

/// What [`Description`] says about one row group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RowGroupDescription {
    pub(crate) min_occurred_at: i64,
    pub(crate) max_occurred_at: i64,
    pub(crate) min_seq: u64,
    pub(crate) max_seq: u64,
    /// Bytes of the lines, uncompressed.
    pub(crate) line_bytes: u64,
    pub(crate) token_filters: Part,
}

/// Bytes of the file that Parquet doesn't know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) crc32: u32,
}

/// Whether every event has a value in the column.
const fn is_required(id: ColumnId) -> bool {
    matches!(id.kind(), ColumnKind::Int)
        || matches!(id, ColumnId::Action | ColumnId::Outcome | ColumnId::Actor)
}

/// The Parquet schema.
pub(crate) fn parquet_schema() -> TypePtr {
    let column = |name: &str, physical, logical: Option<LogicalType>, required| {
        let repetition = if required { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let column = Type::primitive_type_builder(name, physical)
            .with_logical_type(logical)
            .with_repetition(repetition)
            .build()
            .expect("the schema is fixed");
        Arc::new(column)
    };
    let micros = || Some(LogicalType::timestamp(true, TimeUnit::MICROS));
    let mut fields: Vec<TypePtr> = ColumnId::ALL
        .into_iter()
        .map(|id| match id {
            ColumnId::OccurredAt | ColumnId::ReceivedAt => column(id.name(), Physical::INT64, micros(), true),
            ColumnId::Seq => column(id.name(), Physical::INT64, None, true),
            ColumnId::IdHash => column(id.name(), Physical::INT32, None, true),
            _ => column(id.name(), Physical::BYTE_ARRAY, Some(LogicalType::String), is_required(id)),
        })
        .collect();
    fields.push(column(BODY, Physical::BYTE_ARRAY, Some(LogicalType::String), true));
    let group = Type::group_type_builder("event").with_fields(fields).build();
    Arc::new(group.expect("the schema is fixed"))
}

/// The arrays that the columns are written from. Bodies are not, but the writers want to know each column's type.
pub(crate) fn arrow_schema() -> SchemaRef {
    let mut fields: Vec<Field> = ColumnId::ALL
        .into_iter()
        .map(|id| {
            let data_type = match id.kind() {
                ColumnKind::Int if id == ColumnId::IdHash => DataType::Int32,
                ColumnKind::Int => DataType::Int64,
                ColumnKind::Dict => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            };
            Field::new(id.name(), data_type, !is_required(id))
        })
        .collect();
    fields.push(Field::new(BODY, DataType::Binary, false));
    Arc::new(Schema::new(fields))
}

/// How columns are encoded and compressed.
pub(crate) fn writer_properties(zstd_level: i32) -> WriterProperties {
    let level = ZstdLevel::try_new(zstd_level.clamp(1, 22)).expect("the level was clamped");
    let path = |name: &str| ColumnPath::from(name);
    let descending = |id: ColumnId| SortingColumn {
        column_idx: i32::try_from(id.index()).expect("few columns"),
        descending: true,
        nulls_first: false,
    };
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(concat!("recount version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_sorting_columns(Some(vec![descending(ColumnId::OccurredAt), descending(ColumnId::Seq)]))
        .set_max_row_group_row_count(None)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_compression(Compression::ZSTD(level))
        // Columns have one page per block; the writer cuts them by calling once per block.
        .set_data_page_row_count_limit(BLOCK_ROWS)
        // Dictionaries never fall back to plain pages: readers rely on it. Row groups are bounded by their lines.
        .set_dictionary_page_size_limit(i32::MAX as usize)
        .set_column_dictionary_enabled(path(BODY), false)
        .set_column_encoding(path(BODY), Encoding::PLAIN);
    for id in ColumnId::ALL.into_iter().filter(|id| id.kind() == ColumnKind::Int) {
        let encoding = match id {
            // Three bytes of a hash are noise and the fourth is zero: split, the zeros vanish.
            ColumnId::IdHash => Encoding::BYTE_STREAM_SPLIT,
            _ => Encoding::DELTA_BINARY_PACKED,
        };
        properties = properties
            .set_column_dictionary_enabled(path(id.name()), false)
            .set_column_encoding(path(id.name()), encoding);
        if id != ColumnId::IdHash {
            properties = properties.set_column_statistics_enabled(path(id.name()), EnabledStatistics::Page);
        }
    }
    properties.build()
}
