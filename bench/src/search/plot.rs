//! The plot of `bench search`: one row a question, one bar an engine, on a logarithmic axis.

use std::fmt::Write as _;
use std::path::Path;

use super::Measured;
use super::answers::Engine;
use super::queries::Query;

const FILE: &str = "docs/images/bench-search.svg";
const LABEL_WIDTH: f64 = 250.0;
const PLOT_WIDTH: f64 = 470.0;
const BAR_HEIGHT: f64 = 11.0;
const TOP: f64 = 46.0;
/// The axis runs from 0.1 ms over this many powers of ten.
const DECADES: f64 = 5.0;

/// Writes the plot beside docs/benchmarks.md.
pub(super) fn plot(queries: &[Query], measured: &Measured) -> anyhow::Result<()> {
    let engines: [(&str, &str, Option<&Engine>); 4] = [
        ("Recount, over HTTP", "#2f5fd0", Some(&measured.large)),
        ("ClickHouse, in process", "#e0a526", measured.clickhouse.as_ref().map(|peer| &peer.large)),
        ("PostgreSQL", "#8a93a5", measured.postgres.as_ref().map(|peer| &peer.btree)),
        ("PostgreSQL with GIN", "#c9ced8", measured.postgres.as_ref().map(|peer| &peer.gin)),
    ];
    let row_height = BAR_HEIGHT * engines.len() as f64 + 12.0;
    let height = TOP + row_height * queries.len() as f64 + 16.0;
    let mut svg = String::new();
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{:.0}" height="{height:.0}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>"#,
        LABEL_WIDTH + PLOT_WIDTH + 60.0
    )?;
    for (index, (name, colour, _)) in engines.iter().enumerate() {
        let x = 10.0 + 150.0 * index as f64;
        writeln!(
            svg,
            r#"<rect x="{x:.0}" y="8" width="12" height="12" fill="{colour}"/><text x="{:.0}" y="18">{name}</text>"#,
            x + 17.0
        )?;
    }
    writeln!(svg, r##"<text x="620" y="18" fill="#555">p50, ms, logarithmic</text>"##)?;
    for decade in 0..=DECADES as u32 {
        let x = LABEL_WIDTH + PLOT_WIDTH * f64::from(decade) / DECADES;
        let label = 10_f64.powi(decade.cast_signed() - 1);
        writeln!(
            svg,
            r##"<line x1="{x:.0}" x2="{x:.0}" y1="{:.0}" y2="{:.0}" stroke="#e3e6ec"/><text x="{x:.0}" y="{:.0}" text-anchor="middle" fill="#555">{label}</text>"##,
            TOP - 6.0,
            height - 14.0,
            TOP - 10.0
        )?;
    }
    for (row, query) in queries.iter().enumerate() {
        let y = TOP + row_height * row as f64;
        writeln!(
            svg,
            r#"<text x="{:.0}" y="{:.0}" text-anchor="end">{}</text>"#,
            LABEL_WIDTH - 10.0,
            y + row_height / 2.0,
            query.name
        )?;
        for (index, (_, colour, engine)) in engines.iter().enumerate() {
            let Some(asked) = engine.and_then(|engine| engine.get(query.name)) else { continue };
            let decades = (asked.p50 / 0.1).log10().clamp(0.02, DECADES);
            let (top, width) = (y + BAR_HEIGHT * index as f64, PLOT_WIDTH * decades / DECADES);
            writeln!(
                svg,
                r##"<rect x="{LABEL_WIDTH}" y="{top:.0}" width="{width:.0}" height="{:.0}" fill="{colour}"/><text x="{:.0}" y="{:.0}" font-size="10" fill="#333">{:.1}</text>"##,
                BAR_HEIGHT - 1.0,
                LABEL_WIDTH + width + 4.0,
                top + 9.0,
                asked.p50
            )?;
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
