//! Opening: the sealed end of the file, and what it says about everything before it.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use recount_event::Timestamp;

use super::pages::{ColumnLayout, PageRef};
use super::read_at::read_range;
use super::{GroupLayout, Inner, ReadAt, RowGroup};
use crate::column::ColumnId;
use crate::error::SegmentError;
use crate::schema::{
    BODY, BODY_INDEX, Description, FILE_COLUMNS, FORMAT_VERSION, KEY_DESCRIPTION, KEY_VERSION, Part,
    SEAL_DIGITS,
};
use crate::write::{Seal, SegmentStats, find_seal};

/// How much of the end of a file is read at first: all that is needed of up to about two million events.
const OPEN_READ_BYTES: u64 = 256 << 10;
/// How Parquet files end.
const MAGIC: &[u8] = b"PAR1";

pub(super) async fn open(source: Arc<dyn ReadAt>, name: Arc<str>) -> Result<Inner, SegmentError> {
    let len = source.len();
    let end = sealed_end(&*source, &name, len).await?;
    let corrupt = |what: String| SegmentError::corrupt(&name, what);
    let metadata = parse_footer(&end, len).map_err(|error| corrupt(format!("footer: {error}")))?;
    let value = |key: &str| {
        let entries = metadata.file_metadata().key_value_metadata()?;
        entries.iter().find(|entry| entry.key == key)?.value.as_deref()
    };
    // A build that doesn't know the version must say so before it stumbles over what is new in it.
    match value(KEY_VERSION) {
        Some(version) if version == FORMAT_VERSION.to_string() => {}
        Some(version) => {
            return Err(SegmentError::UnknownVersion {
                name,
                found: version.to_owned(),
                known: FORMAT_VERSION,
            });
        }
        None => return Err(corrupt("footer has no format version".to_owned())),
    }
    let description: Description = value(KEY_DESCRIPTION)
        .and_then(|json| serde_json::from_str(json).ok())
        .ok_or_else(|| corrupt("footer has no readable description".to_owned()))?;
    let layout = Layout { metadata: &metadata, description: &description, end: &end };
    let (groups, layouts) = layout.read().map_err(|what| corrupt(format!("footer: {what}")))?;
    Ok(Inner {
        name,
        source,
        tenant: description.tenant.as_str().into(),
        stats: stats(&description, len),
        groups,
        layouts,
        id_filter: description.id_filter,
    })
}

fn stats(description: &Description, bytes: u64) -> SegmentStats {
    SegmentStats {
        first_seq: description.first_seq,
        last_seq: description.last_seq,
        rows: description.rows,
        min_occurred: Timestamp::from_micros(description.min_occurred_at),
        max_occurred: Timestamp::from_micros(description.max_occurred_at),
        min_received: Timestamp::from_micros(description.min_received_at),
        max_received: Timestamp::from_micros(description.max_received_at),
        bytes,
    }
}

/// The sealed end of a file: bytes from `start` to the end.
struct End {
    start: u64,
    bytes: Bytes,
}

async fn sealed_end(source: &dyn ReadAt, name: &Arc<str>, len: u64) -> Result<End, SegmentError> {
    let corrupt = |what: &str| SegmentError::corrupt(name, what);
    if len < 4 * MAGIC.len() as u64 {
        return Err(corrupt("too short to be a segment"));
    }
    let mut start = len.saturating_sub(OPEN_READ_BYTES);
    let mut bytes = read_range(source, name, start..len).await?;
    if !bytes.ends_with(MAGIC) {
        return Err(corrupt("doesn't end like a Parquet file: cut off or overwritten"));
    }
    let at = find_seal(&bytes).ok_or_else(|| corrupt("footer has no seal"))?;
    let seal = Seal::parse(&bytes[at..at + SEAL_DIGITS])
        .filter(|seal| seal.start < len)
        .ok_or_else(|| corrupt("seal isn't readable"))?;
    if seal.start < start {
        let before = read_range(source, name, seal.start..start).await?;
        bytes = Bytes::from([before, bytes].concat());
        start = seal.start;
    }
    let skip = usize::try_from(seal.start - start).expect("within what was read");
    bytes.advance(skip);
    let digits = find_seal(&bytes).ok_or_else(|| corrupt("footer has no seal"))?;
    if seal.holds(&bytes, digits) {
        Ok(End { start: seal.start, bytes })
    } else {
        Err(corrupt("footer fails its checksum"))
    }
}

fn parse_footer(end: &End, len: u64) -> Result<ParquetMetaData, ParquetError> {
    let mut reader = ParquetMetaDataReader::new()
        .with_offset_index_policy(PageIndexPolicy::Required)
        .with_column_index_policy(PageIndexPolicy::Optional);
    reader.try_parse_sized(&end.bytes, len)?;
    reader.finish()
}

/// Turns Parquet's metadata into where pages are.
struct Layout<'a> {
    metadata: &'a ParquetMetaData,
    description: &'a Description,
    end: &'a End,
}

impl Layout<'_> {
    fn read(&self) -> Result<(Vec<RowGroup>, Vec<GroupLayout>), String> {
        let row_groups = self.metadata.row_groups();
        if row_groups.is_empty() {
            return Err("no row groups".to_owned());
        }
        if row_groups.len() != self.description.row_groups.len() {
            return Err("number of row groups differs from the description".to_owned());
        }
        let mut checksums = self.checksums()?;
        let (mut groups, mut layouts) = (Vec::new(), Vec::new());
        for (index, description) in self.description.row_groups.iter().enumerate() {
            let rows = u32::try_from(row_groups[index].num_rows())
                .map_err(|_| "row group has an impossible size".to_owned())?;
            let columns = (0..FILE_COLUMNS)
                .map(|column| self.column(index, column, rows, &mut checksums))
                .collect::<Result<Vec<_>, _>>()?;
            let body = &columns[BODY_INDEX];
            groups.push(RowGroup {
                rows,
                min_occurred: Timestamp::from_micros(description.min_occurred_at),
                max_occurred: Timestamp::from_micros(description.max_occurred_at),
                min_seq: description.min_seq,
                max_seq: description.max_seq,
                line_bytes_compressed: body.pages.iter().map(|page| u64::from(page.length)).sum(),
                line_bytes: description.line_bytes,
            });
            layouts.push(GroupLayout { columns, token_filters: description.token_filters });
        }
        if checksums.has_remaining() {
            return Err("more checksums than pages".to_owned());
        }
        if groups.iter().map(|group| u64::from(group.rows)).sum::<u64>() != self.description.rows {
            return Err("number of rows differs from the description".to_owned());
        }
        Ok((groups, layouts))
    }

    fn checksums(&self) -> Result<Bytes, String> {
        let Part { offset, length, .. } = self.description.checksums;
        let start = offset.checked_sub(self.end.start).and_then(|start| usize::try_from(start).ok());
        let range = start.and_then(|start| Some(start..start + usize::try_from(length).ok()?));
        match range {
            Some(range) if range.end <= self.end.bytes.len() => Ok(self.end.bytes.slice(range)),
            _ => Err("page checksums lie outside the sealed end".to_owned()),
        }
    }

    fn column(
        &self,
        row_group: usize,
        column: usize,
        rows: u32,
        checksums: &mut Bytes,
    ) -> Result<ColumnLayout, String> {
        let metadata = self.metadata.row_group(row_group).columns().get(column);
        let name = ColumnId::ALL.get(column).map_or(BODY, |id| id.name());
        let unexpected = |what: &str| format!("column {name} of row group {row_group} has {what}");
        let metadata = metadata
            .filter(|metadata| metadata.column_path().parts() == [name])
            .ok_or_else(|| unexpected("another name or is missing"))?;
        let mut checksum = || {
            (checksums.remaining() >= 4)
                .then(|| checksums.get_u32_le())
                .ok_or_else(|| unexpected("no checksums"))
        };
        let index = self.metadata.offset_index().ok_or_else(|| unexpected("no page index"))?;
        let locations = index[row_group][column].page_locations();
        let first = locations.first().ok_or_else(|| unexpected("no pages"))?;
        let (start, length) = metadata.byte_range();
        let dictionary_length = first
            .offset
            .cast_unsigned()
            .checked_sub(start)
            .and_then(|length| u32::try_from(length).ok())
            .ok_or_else(|| unexpected("a page before its start"))?;
        let dictionary = match dictionary_length {
            0 => None,
            length => Some(PageRef { offset: start, length, first_row: 0, crc32: checksum()? }),
        };
        let mut pages = Vec::with_capacity(locations.len());
        for location in locations {
            let page = PageRef {
                offset: location.offset.cast_unsigned(),
                length: u32::try_from(location.compressed_page_size)
                    .map_err(|_| unexpected("a page of impossible size"))?,
                first_row: u32::try_from(location.first_row_index)
                    .map_err(|_| unexpected("a page at an impossible row"))?,
                crc32: checksum()?,
            };
            if page.range().end > start + length || page.first_row >= rows {
                return Err(unexpected("a page beyond its end"));
            }
            pages.push(page);
        }
        let ascending = pages.windows(2).all(|pair| pair[0].first_row < pair[1].first_row);
        if !ascending || pages[0].first_row != 0 {
            return Err(unexpected("pages out of order"));
        }
        let bounds = self.bounds(row_group, column);
        if !bounds.is_empty() && bounds.len() != pages.len() {
            return Err(unexpected("statistics of other pages"));
        }
        Ok(ColumnLayout { dictionary, pages, bounds })
    }

    /// Page statistics of an integer column; none for others.
    fn bounds(&self, row_group: usize, column: usize) -> Vec<(i64, i64)> {
        let Some(index) = self.metadata.column_index() else {
            return Vec::new();
        };
        match &index[row_group][column] {
            ColumnIndexMetaData::INT64(index) => {
                index.min_values().iter().copied().zip(index.max_values().iter().copied()).collect()
            }
            _ => Vec::new(),
        }
    }
}
