//! `recount search`: find events, page by page.

use serde_json::value::RawValue;

use super::query::{Query, need_tenant_hint};
use crate::client::{Client, Connection, Page};
use crate::exit::{Exit, Failed};
use crate::output::{self, Paint};

/// Events of one request.
const PAGE_EVENTS: usize = 1_000;

/// Find events
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Terms of the filter are joined by AND; commas in a value are OR; - before a term negates it;
* ends a prefix; a bare word is found anywhere in the event, as a whole word; \"quoted text\" as written.
Quote what your shell would change: recount search 'action:user.*' '\"billing admin\"'

Examples:
  recount search actor:ada --from 7d
  recount search outcome:denied -action:user.login --limit 20
  recount search ip:203.0.113.0/24 --from 2026-11-01 --to 2026-11-08 --json | jq .action
  recount search kestrel --oldest --all")]
pub struct Search {
    #[command(flatten)]
    query: Query,
    /// At most so many events
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// All events that match, however many
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Oldest first
    #[arg(long)]
    oldest: bool,
    /// Only print how many match
    #[arg(long, conflicts_with_all = ["limit", "oldest"])]
    count: bool,
    /// Print the events as they are, one a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Search {
    /// Searches.
    ///
    /// # Errors
    /// If the filter or a time is wrong, or the server says no.
    pub async fn run(self) -> Result<Exit, Failed> {
        let client = Client::new(&self.connection)?;
        let mut parameters = self.query.parameters()?;
        if self.oldest {
            parameters.push(("order", "asc".to_owned()));
        }
        let paint = Paint::stdout();
        let mut left = if self.all || self.count { u64::MAX } else { self.limit };
        let mut found = 0;
        let mut cursor: Option<String> = None;
        loop {
            let mut parameters = parameters.clone();
            parameters.push(("limit", left.min(PAGE_EVENTS as u64).to_string()));
            parameters.extend(cursor.take().map(|cursor| ("cursor", cursor)));
            let page: Page<Box<RawValue>> = client
                .get("/v1/events", &parameters)
                .await
                .map_err(|failed| need_tenant_hint(&client, failed))?;
            let events = &page.data;
            if found == 0 && !events.is_empty() && !self.json && !self.count && output::is_terminal() {
                output::line(&output::event_table(paint))?;
            }
            found += events.len() as u64;
            left = left.saturating_sub(events.len() as u64);
            if !self.count {
                self.print(events, paint)?;
            }
            match page.next_cursor {
                Some(next) if left > 0 => cursor = Some(next),
                more => return self.end(found, more.is_some()),
            }
        }
    }

    fn print(&self, events: &[Box<RawValue>], paint: Paint) -> Result<(), Failed> {
        for event in events {
            output::event(event, self.json, paint)?;
        }
        output::flush()
    }

    fn end(&self, found: u64, more: bool) -> Result<Exit, Failed> {
        if self.count {
            output::line(&found.to_string())?;
        } else if output::errors_on_terminal() && !self.json {
            match (found, more) {
                (0, _) => eprintln!("no event matches"),
                (_, true) => eprintln!("there are more: --limit or --all shows them, --from and --to narrow"),
                _ => {}
            }
        }
        Ok(Exit::Success)
    }
}
