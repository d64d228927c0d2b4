//! `recount tail`: the newest events, and the next ones as they come.

use std::collections::HashSet;
use std::time::Duration;

use reqwest::{Method, header};
use serde_json::Value;

use super::query::{Query, need_tenant_hint};
use crate::client::{Client, Connection, Message, Messages, Retry};
use crate::exit::{Exit, Failed};
use crate::output::{self, Paint};

/// How long to go on trying when the server is away.
const PATIENCE: Duration = Duration::from_secs(24 * 3_600);

/// Show the newest events, and with -f the next ones as they come
#[derive(Debug, clap::Args)]
#[command(after_help = "\
With -f it goes on until Ctrl-C. When the connection breaks, it connects again and goes on after
the last event, without a gap and without repeating one.

Examples:
  recount tail -n 20
  recount tail -f outcome:denied,failure
  recount tail -f --json | jq -r .description")]
pub struct Tail {
    /// Filter terms, as for `recount search`
    #[arg(value_name = "FILTER")]
    filter: Vec<String>,
    /// Go on with new events as they come
    #[arg(long, short)]
    follow: bool,
    /// Begin with so many of the newest events
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=1000))]
    lines: u64,
    /// Follow from this seq on, instead of beginning with the newest
    #[arg(long, value_name = "SEQ", requires = "follow", conflicts_with = "lines")]
    from_seq: Option<u64>,
    /// Print the events as they are, one a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Tail {
    /// Shows events until there are no more, or with `-f` until it is interrupted.
    ///
    /// # Errors
    /// If the filter is wrong, or the server says no.
    pub async fn run(self) -> Result<Exit, Failed> {
        let client = Client::new(&self.connection)?;
        let query = Query { filter: self.filter.clone(), from: None, to: None };
        let parameters = query.parameters()?;
        if !self.follow {
            self.newest(&client, &parameters).await?;
            return Ok(Exit::Success);
        }
        tokio::select! {
            ended = self.follow_on(&client, &parameters) => ended,
            _ = tokio::signal::ctrl_c() => Ok(Exit::Success),
        }
    }

    /// Follows, and connects again whenever the connection ends.
    async fn follow_on(
        &self,
        client: &Client,
        parameters: &[(&'static str, String)],
    ) -> Result<Exit, Failed> {
        let mut place = Place { next: self.from_seq, shown: HashSet::new() };
        let mut begin_with_newest = self.lines > 0 && self.from_seq.is_none();
        let mut retry = Retry::lasting(PATIENCE);
        let mut connected = false;
        loop {
            match self.follow(client, parameters, &mut place, &mut begin_with_newest).await {
                Ok(any) => {
                    connected = true;
                    if any {
                        retry = Retry::lasting(PATIENCE);
                    }
                }
                // A server that was never there is a mistake of the command line.
                Err(failed) if failed.exit == Exit::Unreachable && connected => {}
                Err(failed) => return Err(failed),
            }
            if !retry.pause(None).await {
                return Err(Failed::new(Exit::Unreachable, format!("{} stays away", client.base())));
            }
        }
    }

    /// Prints the newest events, oldest of them first; gives their seqs.
    async fn newest(
        &self,
        client: &Client,
        parameters: &[(&'static str, String)],
    ) -> Result<HashSet<u64>, Failed> {
        let mut parameters = parameters.to_vec();
        parameters.push(("limit", self.lines.max(1).to_string()));
        let page =
            client.get("/v1/events", &parameters).await.map_err(|failed| need_tenant_hint(client, failed))?;
        let events = page.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut shown = HashSet::new();
        for event in events.iter().rev() {
            shown.extend(event.get("seq").and_then(Value::as_u64));
            self.print(event)?;
        }
        output::flush()?;
        Ok(shown)
    }

    /// Follows until the connection ends; tells whether anything came.
    async fn follow(
        &self,
        client: &Client,
        parameters: &[(&'static str, String)],
        place: &mut Place,
        begin_with_newest: &mut bool,
    ) -> Result<bool, Failed> {
        let mut of_stream = parameters.to_vec();
        of_stream.extend(place.next.map(|next| ("from", next.to_string())));
        let request = client
            .request(Method::GET, "/v1/events/tail", &of_stream)
            .header(header::ACCEPT, "text/event-stream");
        let mut messages =
            Messages::of(client.send(request).await.map_err(|failed| need_tenant_hint(client, failed))?);
        if std::mem::take(begin_with_newest) {
            // Asked for after the stream began, so that nothing falls between the two; what is in
            // both is shown once.
            place.shown = self.newest(client, parameters).await?;
            place.next = place.shown.iter().max().map(|seq| seq + 1);
        }
        let mut any = false;
        loop {
            let Ok(Some(Message { id, data, .. })) = messages.next().await else { return Ok(any) };
            any = true;
            let seq = id.and_then(|id| id.parse::<u64>().ok());
            if !data.is_empty() && !seq.is_some_and(|seq| place.shown.remove(&seq)) {
                if self.json {
                    output::line(&data)?;
                } else if let Ok(event) = serde_json::from_str(&data) {
                    self.print(&event)?;
                }
                output::flush()?;
            }
            place.next = seq.map(|seq| seq + 1).or(place.next);
        }
    }

    fn print(&self, event: &Value) -> Result<(), Failed> {
        output::line(&if self.json { event.to_string() } else { output::event_line(event, Paint::stdout()) })
    }
}

/// Where the following is.
struct Place {
    /// The seq to go on from, once one is known.
    next: Option<u64>,
    /// Seqs that were shown before the stream came to them.
    shown: HashSet<u64>,
}
