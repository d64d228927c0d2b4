//! The plot of `bench search`: one row a query, one bar an engine, on a logarithmic axis.

use std::fmt::Write as _;
use std::path::Path;

use crate::search::Timings;
use crate::search_queries::Query;

const FILE: &str = "docs/images/bench-search.svg";
const LABEL_WIDTH: f64 = 250.0;
const PLOT_WIDTH: f64 = 470.0;
const ROW_HEIGHT: f64 = 34.0;
const TOP: f64 = 46.0;
/// The axis runs from 0.1 ms over this many powers of ten.
const DECADES: f64 = 4.0;

/// Writes the plot beside docs/benchmarks.md.
pub(crate) fn plot(queries: &[Query], own: &Timings, clickhouse: &Timings) -> anyhow::Result<()> {
    let height = TOP + ROW_HEIGHT * queries.len() as f64 + 20.0;
    let mut svg = String::new();
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{:.0}" height="{height:.0}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>"#,
        LABEL_WIDTH + PLOT_WIDTH + 60.0
    )?;
    writeln!(
        svg,
        r##"<rect x="10" y="8" width="12" height="12" fill="#2f5fd0"/><text x="27" y="18">Recount, over HTTP</text><rect x="170" y="8" width="12" height="12" fill="#c9ced8"/><text x="187" y="18">ClickHouse, in process</text><text x="340" y="18" fill="#555">p50, milliseconds, logarithmic: shorter is better</text>"##
    )?;
    for decade in 0..=DECADES as u32 {
        let x = LABEL_WIDTH + PLOT_WIDTH * f64::from(decade) / DECADES;
        let label = 10_f64.powi(decade as i32 - 1);
        writeln!(
            svg,
            r##"<line x1="{x:.0}" x2="{x:.0}" y1="{:.0}" y2="{:.0}" stroke="#e3e6ec"/><text x="{x:.0}" y="{:.0}" text-anchor="middle" fill="#555">{label}</text>"##,
            TOP - 6.0,
            height - 14.0,
            TOP - 10.0
        )?;
    }
    for (row, query) in queries.iter().enumerate() {
        let y = TOP + ROW_HEIGHT * row as f64;
        writeln!(
            svg,
            r#"<text x="{:.0}" y="{:.0}" text-anchor="end">{}</text>"#,
            LABEL_WIDTH - 10.0,
            y + 18.0,
            query.name
        )?;
        for (timings, offset, colour) in [(own, 2.0, "#2f5fd0"), (clickhouse, 15.0, "#c9ced8")] {
            if let Some(timing) = timings.get(query.name) {
                let decades = (timing.p50 / 0.1).log10().clamp(0.02, DECADES);
                let width = PLOT_WIDTH * decades / DECADES;
                writeln!(
                    svg,
                    r##"<rect x="{LABEL_WIDTH}" y="{:.0}" width="{width:.0}" height="11" fill="{colour}"/><text x="{:.0}" y="{:.0}" font-size="10" fill="#333">{:.1}</text>"##,
                    y + offset,
                    LABEL_WIDTH + width + 4.0,
                    y + offset + 9.5,
                    timing.p50
                )?;
            }
        }
    }
    writeln!(svg, "</svg>")?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FILE);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, svg)?;
    Ok(())
}
