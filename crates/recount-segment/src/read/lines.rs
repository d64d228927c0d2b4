//! Fetching and decompressing lines: only the pages that hold wanted rows.

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::errors::ParquetError;

use super::Segment;
use super::pages::{self, FetchedPage, PageRef};
use crate::error::SegmentError;
use crate::line::Line;
use crate::schema::BODY_INDEX;

/// Fetched pages of lines, not decompressed yet.
pub struct FetchedLines {
    segment: Segment,
    row_group: usize,
    pages: Vec<FetchedPage>,
    /// Per page, its rows and, of those, the wanted ones counted from the page's first.
    wanted: Vec<PageRows>,
}

struct PageRows {
    rows: u32,
    wanted: Vec<u32>,
}

/// The pages that hold `rows`, which ascend, and which of their rows those are.
fn plan(segment: &Segment, row_group: usize, rows: &[u32]) -> (Vec<PageRef>, Vec<PageRows>) {
    let layout = &segment.inner.layouts[row_group].columns[BODY_INDEX];
    let group_rows = segment.inner.groups[row_group].rows;
    debug_assert!(rows.is_sorted(), "rows ascend");
    assert!(rows.last().is_none_or(|row| *row < group_rows), "rows lie within the row group");
    let (mut pages, mut wanted): (Vec<PageRef>, Vec<PageRows>) = (Vec::new(), Vec::new());
    let mut current = 0..0;
    for &row in rows {
        if !current.contains(&row) {
            let page = layout.page_of(row);
            current = layout.rows_of(page, group_rows);
            pages.push(layout.pages[page]);
            wanted.push(PageRows { rows: current.end - current.start, wanted: Vec::new() });
        }
        if let Some(page) = wanted.last_mut() {
            page.wanted.push(row - current.start);
        }
    }
    (pages, wanted)
}

pub(super) fn bytes_to_fetch(segment: &Segment, row_group: usize, rows: &[u32]) -> u64 {
    plan(segment, row_group, rows).0.iter().map(|page| u64::from(page.length)).sum()
}

pub(super) async fn fetch(
    segment: &Segment,
    row_group: usize,
    rows: &[u32],
) -> Result<FetchedLines, SegmentError> {
    let (pages, wanted) = plan(segment, row_group, rows);
    let answers = if pages.is_empty() { Vec::new() } else { segment.read(pages::ranges(&pages)).await? };
    let pages = pages::split(pages, &mut answers.into_iter());
    Ok(FetchedLines { segment: segment.clone(), row_group, pages, wanted })
}

impl FetchedLines {
    /// Bytes fetched.
    pub fn bytes(&self) -> u64 {
        self.pages.iter().map(|(page, _)| u64::from(page.length)).sum()
    }

    /// Checks and decompresses; one line per row asked for, in order. CPU: about 0.1 ms a page of 128 KiB.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`].
    pub fn decode(self) -> Result<Vec<Line>, SegmentError> {
        Ok(self.decode_where(|_| true)?.into_iter().flatten().collect())
    }

    /// [`Self::decode`] of the pages whose bytes `may_hold` what is looked for; `None` for each row of the others.
    /// A page has the lines of neighbouring rows, each with some bytes of its length before it.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`].
    pub fn decode_where(self, may_hold: impl Fn(&[u8]) -> bool) -> Result<Vec<Option<Line>>, SegmentError> {
        self.decode_pages(may_hold).map_err(|error| {
            let group = self.row_group;
            self.segment.corrupt(format!("lines of row group {group}: {error}"))
        })
    }

    fn decode_pages(&self, may_hold: impl Fn(&[u8]) -> bool) -> Result<Vec<Option<Line>>, ParquetError> {
        let total = self.wanted.iter().map(|page| page.wanted.len()).sum();
        let mut lines = Vec::with_capacity(total);
        if self.pages.is_empty() {
            return Ok(lines);
        }
        let rows = self.wanted.iter().map(|page| page.rows as usize).sum();
        let mut reader = pages::reader(BODY_INDEX, None, &self.pages, rows)?;
        for page in &self.wanted {
            match reader.get_next_page()? {
                Some(Page::DataPage { buf, num_values, encoding: Encoding::PLAIN, .. })
                    if num_values == page.rows =>
                {
                    if may_hold(&buf) {
                        pick(&buf, &page.wanted, &mut lines)
                            .ok_or_else(|| ParquetError::General("page isn't lines".to_owned()))?;
                    } else {
                        lines.extend(page.wanted.iter().map(|_| None));
                    }
                }
                _ => return Err(ParquetError::General("unexpected kind of page".to_owned())),
            }
        }
        Ok(lines)
    }
}

/// Appends the `wanted` lines of a page of strings in plain encoding.
fn pick(page: &Bytes, wanted: &[u32], lines: &mut Vec<Option<Line>>) -> Option<()> {
    let mut at = 0_usize;
    let mut row = 0;
    for &wanted in wanted {
        loop {
            let length = page.get(at..)?.first_chunk::<4>()?;
            let start = at + 4;
            let end = start + u32::from_le_bytes(*length) as usize;
            at = end;
            row += 1;
            if row > wanted {
                if end > page.len() {
                    return None;
                }
                lines.push(Some(Line::try_from(page.slice(start..end)).ok()?));
                break;
            }
        }
    }
    Some(())
}
