//! The tables of `bench search`.

use std::fmt::Write as _;

use super::answers::{Asked, Engine};
use super::queries::Query;
use super::{Measured, UNTIL_MICROS};
use crate::machine::machine;

/// Everything as Markdown.
pub(super) fn table(queries: &[Query], measured: &Measured) -> anyhow::Result<String> {
    let mut text = String::new();
    let sizes = &measured.sizes;
    writeln!(
        text,
        "{}. {} events of {} tenants until {}, 5,000 actors, 60 actions; the largest tenant has {}, the smallest {}. Milliseconds, warm unless it says cold (cold: just started, files not in memory). Recount answers over HTTP; ClickHouse (chdb, MergeTree, two threads) in its own process, without a network; PostgreSQL over TCP, with the largest tenant's events only. Every answer was compared with Recount's: same events, same counts. A ratio is the peer's p50 over Recount's: above 1, Recount is faster.\n",
        machine(),
        sizes.iter().sum::<u64>(),
        sizes.len(),
        recount_event::Timestamp::from_micros(UNTIL_MICROS),
        sizes[0],
        sizes[sizes.len() - 1],
    )?;
    large(&mut text, queries, measured)?;
    writeln!(text, "\n![Recount, ClickHouse and PostgreSQL, milliseconds](images/bench-search.svg)\n")?;
    small(&mut text, queries, measured)?;
    rest(&mut text, measured)?;
    Ok(text)
}

fn large(text: &mut String, queries: &[Query], measured: &Measured) -> anyhow::Result<()> {
    writeln!(
        text,
        "| largest tenant | target | Recount p50 | p99 | cold | ClickHouse p50 | p99 | cold | ratio | PostgreSQL p50 | p99 | ratio | with GIN p50 | p99 | ratio |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    )?;
    let clickhouse = measured.clickhouse.as_ref().map(|peer| &peer.large);
    let btree = measured.postgres.as_ref().map(|peer| &peer.btree);
    let gin = measured.postgres.as_ref().map(|peer| &peer.gin);
    for query in queries {
        let own = measured.large.get(query.name);
        let of = |engine: Option<&'_ Engine>| engine.and_then(|engine| engine.get(query.name)).cloned();
        let (clickhouse, btree, gin) = (of(clickhouse), of(btree), of(gin));
        let target = query.target_ms.map_or_else(|| "–".to_owned(), |target| target.to_string());
        writeln!(
            text,
            "| {} | {target} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            query.name,
            p50(own),
            p99(own),
            cold(own),
            p50(clickhouse.as_ref()),
            p99(clickhouse.as_ref()),
            cold(clickhouse.as_ref()),
            ratio(own, clickhouse.as_ref()),
            p50(btree.as_ref()),
            p99(btree.as_ref()),
            ratio(own, btree.as_ref()),
            p50(gin.as_ref()),
            p99(gin.as_ref()),
            ratio(own, gin.as_ref()),
        )?;
    }
    Ok(())
}

fn small(text: &mut String, queries: &[Query], measured: &Measured) -> anyhow::Result<()> {
    writeln!(
        text,
        "| smallest tenant (target 3) | Recount p50 | p99 | ClickHouse p50 | p99 | ratio |\n|---|---|---|---|---|---|"
    )?;
    for query in queries {
        let own = measured.small.get(query.name);
        let other = measured.clickhouse.as_ref().and_then(|peer| peer.small.get(query.name));
        let (own50, own99, other50, other99) = (p50(own), p99(own), p50(other), p99(other));
        writeln!(
            text,
            "| {} | {own50} | {own99} | {other50} | {other99} | {} |",
            query.name,
            ratio(own, other)
        )?;
    }
    Ok(())
}

fn rest(text: &mut String, measured: &Measured) -> anyhow::Result<()> {
    writeln!(text, "\n| | Recount | ClickHouse | PostgreSQL | with GIN |\n|---|---|---|---|---|")?;
    let clickhouse = measured.clickhouse.as_ref().map(|peer| peer.size.0 as f64 / peer.size.1 as f64);
    let sizes = measured.postgres.as_ref().map(|peer| (peer.btree_size, peer.gin_size));
    let bytes = |bytes: Option<f64>| bytes.map_or_else(|| "–".to_owned(), |bytes| format!("{bytes:.0}"));
    let each = |(bytes, rows): (i64, i64)| bytes as f64 / rows as f64;
    writeln!(
        text,
        "| bytes an event at rest, indexes included | {:.0} | {} | {} | {} |",
        measured.rest_bytes,
        bytes(clickhouse),
        bytes(sizes.map(|(btree, _)| each(btree))),
        bytes(sizes.map(|(_, gin)| each(gin)).filter(|bytes| *bytes > 0.0)),
    )?;
    for (format, rate) in &measured.exports {
        writeln!(
            text,
            "| streamed export of the largest tenant as {format}, events/s (target 300,000) | {rate:.0} | | | |"
        )?;
    }
    Ok(())
}

fn p50(asked: Option<&Asked>) -> String {
    cell(asked.map(|asked| asked.p50))
}

fn p99(asked: Option<&Asked>) -> String {
    cell(asked.map(|asked| asked.p99))
}

fn cold(asked: Option<&Asked>) -> String {
    cell(asked.and_then(|asked| asked.cold))
}

fn cell(milliseconds: Option<f64>) -> String {
    milliseconds.map_or_else(
        || "–".to_owned(),
        |value| if value < 10.0 { format!("{value:.2}") } else { format!("{value:.0}") },
    )
}

fn ratio(own: Option<&Asked>, other: Option<&Asked>) -> String {
    match (own, other) {
        (Some(own), Some(other)) => format!("{:.1}×", other.p50 / own.p50),
        _ => "–".to_owned(),
    }
}
