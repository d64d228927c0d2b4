//! Opens an input: counts its bytes, unpacks it, and finds out what shape it has.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::json::push_string;
use super::records::{Document, Lines, Record, Unusable, opens_wrapper};

/// How much of an input is looked at to tell its shape, in bytes.
const PEEK_BYTES: usize = 64 * 1024;
/// How many lines of it are tried as NDJSON.
const PEEK_LINES: usize = 5;
const READ_BUFFER_BYTES: usize = 256 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// The shape of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Found out by looking at the beginning.
    Auto,
    /// One JSON object a line.
    Ndjson,
    /// An array, `{"Records":[…]}`, or objects one after another, over any number of lines.
    Json,
    /// Comma-separated values with a header row.
    Csv,
    /// Tab-separated values with a header row.
    Tsv,
}

/// Where records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl Source {
    /// `-` is standard input.
    #[must_use]
    pub fn from_argument(path: PathBuf) -> Self {
        if path.as_os_str() == "-" { Self::Stdin } else { Self::File(path) }
    }

    /// The name that people know it by.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "standard input".to_owned(),
        }
    }

    /// Its size in bytes as stored, if it has one.
    #[must_use]
    pub fn size_bytes(&self) -> Option<u64> {
        match self {
            Self::File(path) => {
                std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|meta| meta.len())
            }
            Self::Stdin => None,
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// If it cannot be opened or read, or its shape cannot be told.
    pub fn open(&self, format: Format, wrappers: &[String], read: Arc<AtomicU64>) -> io::Result<Records> {
        let raw: Box<dyn Read + Send> = match self {
            Self::File(path) => Box::new(File::open(path)?),
            Self::Stdin => Box::new(io::stdin()),
        };
        let (unpacked, extension) = (unpack(Counted { inner: raw, read })?, self.extension());
        shape(unpacked, format, &extension, wrappers)
    }

    /// The extension below `.gz` and `.zst`.
    fn extension(&self) -> String {
        let Self::File(path) = self else { return String::new() };
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let name = name.trim_end_matches(".gz").trim_end_matches(".zst").trim_end_matches(".zstd");
        name.rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_owned())
    }
}

/// Counts what is read, before it is unpacked.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

type Input = BufReader<Box<dyn Read + Send>>;

/// Unpacks gzip and zstd, told by their first bytes and not by a name.
fn unpack(raw: Counted<Box<dyn Read + Send>>) -> io::Result<Input> {
    let (head, rest) = peek(raw, ZSTD_MAGIC.len())?;
    let whole = Cursor::new(head.clone()).chain(rest);
    let unpacked: Box<dyn Read + Send> = if head.starts_with(&GZIP_MAGIC) {
        Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(READ_BUFFER_BYTES, whole)))
    } else if head.starts_with(&ZSTD_MAGIC) {
        Box::new(zstd::stream::read::Decoder::new(whole)?)
    } else {
        Box::new(whole)
    };
    Ok(BufReader::with_capacity(READ_BUFFER_BYTES, unpacked))
}

/// Reads up to `count` bytes, fewer only at the end.
fn peek<R: Read>(mut input: R, count: usize) -> io::Result<(Vec<u8>, R)> {
    let mut head = Vec::with_capacity(count);
    input.by_ref().take(count as u64).read_to_end(&mut head)?;
    Ok((head, input))
}

fn shape(input: Input, format: Format, extension: &str, wrappers: &[String]) -> io::Result<Records> {
    let (mut head, rest) = peek(input, PEEK_BYTES)?;
    if head.starts_with(&BYTE_ORDER_MARK) {
        head.drain(..BYTE_ORDER_MARK.len());
    }
    let format = match format {
        Format::Auto => detect(&head, extension, wrappers).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "neither JSON nor CSV; say what it is with --format")
        })?,
        given => given,
    };
    let whole: Box<dyn BufRead + Send> = Box::new(Cursor::new(head).chain(rest));
    Ok(match format {
        Format::Ndjson => Records::Lines(Lines::new(whole)),
        Format::Csv => Records::Csv(Csv::new(whole, b',')?),
        Format::Tsv => Records::Csv(Csv::new(whole, b'\t')?),
        Format::Json | Format::Auto => Records::Document(Document::new(whole, wrappers.to_vec())),
    })
}

/// Tells the shape by the beginning; `None` if it is nothing that is known.
fn detect(head: &[u8], extension: &str, wrappers: &[String]) -> Option<Format> {
    match extension {
        "csv" => return Some(Format::Csv),
        "tsv" => return Some(Format::Tsv),
        _ => {}
    }
    let Some(first) = head.iter().find(|byte| !byte.is_ascii_whitespace()) else {
        return Some(Format::Ndjson);
    };
    let lines: Vec<&[u8]> = head
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .take(PEEK_LINES)
        .collect();
    let later_is_whole = lines.iter().skip(1).any(|line| is_whole_object(line));
    match first {
        b'[' => Some(Format::Json),
        b'{' => Some(detect_objects(&lines, later_is_whole, wrappers)),
        _ if later_is_whole => Some(Format::Ndjson),
        _ => {
            let text = std::str::from_utf8(lines.first()?).ok()?;
            match (text.contains('\t'), text.contains(',')) {
                (true, _) => Some(Format::Tsv),
                (_, true) => Some(Format::Csv),
                _ => None,
            }
        }
    }
}

/// Tells lines of objects from a document that begins with one, by the first line.
fn detect_objects(lines: &[&[u8]], later_is_whole: bool, wrappers: &[String]) -> Format {
    let first = lines.first().copied().unwrap_or_default();
    let error = serde_json::from_slice::<serde::de::IgnoredAny>(first).err();
    let is_cut = error.as_ref().is_some_and(serde_json::Error::is_eof);
    match error {
        _ if opens_wrapper(first, wrappers) => Format::Json,
        None => Format::Ndjson,
        // A broken first line among good ones, or an object over several lines.
        Some(_) if later_is_whole && !(is_cut && lines.get(1).is_some_and(|line| !is_whole_object(line))) => {
            Format::Ndjson
        }
        Some(_) => Format::Json,
    }
}

fn is_whole_object(line: &[u8]) -> bool {
    line.starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
}

/// The records of an opened input.
pub enum Records {
    /// One a line.
    Lines(Lines<Box<dyn BufRead + Send>>),
    /// One document.
    Document(Document<Box<dyn BufRead + Send>>),
    /// Rows below a header.
    Csv(Csv),
}

impl Records {
    /// The next record.
    ///
    /// # Errors
    /// If the input cannot be read or unpacked, or ends inside a record.
    pub fn next_record(&mut self) -> io::Result<Option<Record>> {
        match self {
            Self::Lines(lines) => lines.next_record(),
            Self::Document(document) => document.next_record(),
            Self::Csv(rows) => rows.next_record(),
        }
    }

    /// Whether the records are rows whose members were named by a header.
    #[must_use]
    pub fn is_table(&self) -> bool {
        matches!(self, Self::Csv(_))
    }
}

/// CSV: each row becomes a JSON object of strings with the names of the header.
pub struct Csv {
    reader: csv::Reader<Ending<Box<dyn BufRead + Send>>>,
    /// The names as JSON strings.
    names: Vec<String>,
    row: csv::ByteRecord,
}

impl Csv {
    fn new(input: Box<dyn BufRead + Send>, delimiter: u8) -> io::Result<Self> {
        let input = Ending { inner: input, reached: false };
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(input);
        let header = reader.headers().map_err(io::Error::other)?;
        let names: Vec<String> = header
            .iter()
            .map(|name| {
                let mut quoted = String::new();
                push_string(&mut quoted, name.trim());
                quoted
            })
            .collect();
        let mut sorted = names.clone();
        sorted.sort();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the header names {} twice", twice[0]),
            ));
        }
        Ok(Self { reader, names, row: csv::ByteRecord::new() })
    }

    fn next_record(&mut self) -> io::Result<Option<Record>> {
        match self.reader.read_byte_record(&mut self.row) {
            Ok(false) => Ok(None),
            Ok(true) => Ok(Some(self.record())),
            Err(error) if error.is_io_error() => Err(io::Error::other(error)),
            Err(error) => Ok(Some(Record {
                line: self.reader.position().line(),
                text: Err(Unusable { reason: error.to_string(), text: String::new() }),
                ended: true,
            })),
        }
    }

    fn record(&self) -> Record {
        let line = self.row.position().map_or(0, csv::Position::line);
        let cells: Vec<String> =
            self.row.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
        // A row that ends in a line feed is given out before the input's end is seen.
        let ended = !self.reader.get_ref().reached;
        let unusable =
            |reason: String| Record { line, text: Err(Unusable { reason, text: cells.join(",") }), ended };
        if cells.len() != self.names.len() {
            return unusable(format!(
                "the row has {} cells, the header names {}",
                cells.len(),
                self.names.len()
            ));
        }
        if let Some(bad) = self.row.iter().position(|cell| std::str::from_utf8(cell).is_err()) {
            return unusable(format!("invalid UTF-8 in column {}", self.names[bad]));
        }
        let mut text = String::from("{");
        for (name, cell) in self.names.iter().zip(&cells).filter(|(_, cell)| !cell.is_empty()) {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(name);
            text.push(':');
            push_string(&mut text, cell);
        }
        text.push('}');
        Record { line, text: Ok(text), ended }
    }
}

/// Remembers that the end of an input was reached.
struct Ending<R> {
    inner: R,
    reached: bool,
}

impl<R: Read> Read for Ending<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.reached |= count == 0 && !buffer.is_empty();
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, detect};

    #[test]
    fn shapes_are_told_by_the_beginning() {
        let wrappers = ["Records".to_owned()];
        let told = |text: &str, extension: &str| detect(text.as_bytes(), extension, &wrappers);
        assert_eq!(told("{\"a\":1}\n{\"a\":2}\n", "log"), Some(Format::Ndjson));
        assert_eq!(told("{bad\n{\"a\":2}\n", ""), Some(Format::Ndjson));
        assert_eq!(told("{\n  \"a\": 1\n}\n", "json"), Some(Format::Json));
        assert_eq!(told(" [\n", "json"), Some(Format::Json));
        assert_eq!(told("{\"Records\":[{}]}", "json"), Some(Format::Json));
        assert_eq!(told("{\"Records\":[{\"very long", "json"), Some(Format::Json));
        assert_eq!(told("{\"Records\":[\n{\"a\":1},\n{\"a\":2}\n]}", "json"), Some(Format::Json));
        assert_eq!(told("{\"v\":1,\"Records\": [\n{\"a\":1}\n]}", "json"), Some(Format::Json));
        assert_eq!(told("cut off\"}\n{\"a\":2}\n", ""), Some(Format::Ndjson));
        assert_eq!(told("time,who\n1,2\n", "txt"), Some(Format::Csv));
        assert_eq!(told("time\twho\n", "txt"), Some(Format::Tsv));
        assert_eq!(told("{\"a\":1}", "csv"), Some(Format::Csv));
        assert_eq!(told("", "json"), Some(Format::Ndjson));
        assert_eq!(told("hello", "txt"), None);
    }
}
