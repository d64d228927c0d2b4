//! The bytes of an object.

use super::{config::File, layout::Group};
use crate::formats::{EncodeError, Format, gzip, ocsf_parquet, recount_parquet};

/// An object ready to be put.
pub(super) struct Object {
    pub(super) key: String,
    pub(super) bytes: Vec<u8>,
    pub(super) content_type: &'static str,
    pub(super) content_encoding: Option<&'static str>,
}

/// How much longer than its line an event usually is as sent, in bytes.
const LINE_BYTES_MORE: usize = 80;

/// Encodes one group. The same events give the same bytes.
pub(super) fn object(
    group: &Group<'_>,
    format: Format,
    file: File,
    test: bool,
) -> Result<Object, EncodeError> {
    match file {
        File::NdjsonGz => {
            // What an event gains on its way out is a few dozen bytes.
            let bytes: usize = group.events.iter().map(|event| event.line.len() + LINE_BYTES_MORE).sum();
            let mut lines = Vec::with_capacity(bytes);
            for event in &group.events {
                format.encode(event, &mut lines)?;
                lines.push(b'\n');
            }
            Ok(Object {
                key: group.key(&lines, file, test),
                bytes: gzip(&lines),
                // The name says gzip; as Content-Encoding it would make some readers unpack twice.
                content_type: "application/gzip",
                content_encoding: None,
            })
        }
        File::Parquet => {
            let bytes = match format.ocsf_version() {
                Some(version) => ocsf_parquet(&group.events, version)?,
                None => recount_parquet(&group.events)?,
            };
            Ok(Object {
                key: group.key(&bytes, file, test),
                bytes,
                content_type: "application/vnd.apache.parquet",
                content_encoding: None,
            })
        }
    }
}
