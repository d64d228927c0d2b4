//! `recount tail`: the newest events, and the next ones as they come.

use std::collections::HashSet;
use std::time::Duration;

use reqwest::{Method, header};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::query::{Query, need_tenant_hint};
use crate::client::{Client, Connection, Message, Messages, Page, Retry};
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
        let mut place = Place {
            next: self.from_seq,
            begin_with_newest: self.lines > 0 && self.from_seq.is_none(),
            shown: HashSet::new(),
        };
        let mut retry = Retry::lasting(PATIENCE);
        let mut connected = false;
        loop {
            let before = place.next;
            match self.follow(client, parameters, &mut place).await {
                Ok(()) => {
                    connected = true;
                    if place.next != before {
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
        if self.lines == 0 {
            return Ok(HashSet::new());
        }
        let mut parameters = parameters.to_vec();
        parameters.push(("limit", self.lines.to_string()));
        let page: Page<Box<RawValue>> =
            client.get("/v1/events", &parameters).await.map_err(|failed| need_tenant_hint(client, failed))?;
        let mut shown = HashSet::new();
        for event in page.data.iter().rev() {
            shown.extend(serde_json::from_str(event.get()).ok().map(|Seq { seq }| seq));
            output::event(event, self.json, Paint::stdout())?;
        }
        output::flush()?;
        Ok(shown)
    }

    /// Follows until the connection ends.
    async fn follow(
        &self,
        client: &Client,
        parameters: &[(&'static str, String)],
        place: &mut Place,
    ) -> Result<(), Failed> {
        let mut of_stream = parameters.to_vec();
        of_stream.extend(place.next.map(|next| ("from", next.to_string())));
        let request = client
            .request(Method::GET, "/v1/events/tail", &of_stream)
            .header(header::ACCEPT, "text/event-stream");
        let mut messages =
            Messages::of(client.send(request).await.map_err(|failed| need_tenant_hint(client, failed))?);
        while let Ok(Some(Message { id, data, .. })) = messages.next().await {
            let seq = id.and_then(|id| id.parse::<i64>().ok());
            let is_shown =
                seq.is_some_and(|seq| u64::try_from(seq).is_ok_and(|seq| place.shown.remove(&seq)));
            if let Ok(event) = serde_json::from_str::<&RawValue>(&data)
                && !is_shown
            {
                output::event(event, self.json, Paint::stdout())?;
                output::flush()?;
            }
            place.next = seq.and_then(|seq| u64::try_from(seq + 1).ok()).or(place.next);
            if std::mem::take(&mut place.begin_with_newest) {
                // Asked for once the stream has said where it begins, so that nothing falls between
                // the two, whatever breaks; what is in both is shown once.
                place.shown = self.newest(client, parameters).await?;
            }
        }
        Ok(())
    }
}

/// Where the following is.
struct Place {
    /// The seq to go on from; the stream's first message says it.
    next: Option<u64>,
    /// Whether the newest events are still to be shown.
    begin_with_newest: bool,
    /// Seqs that were shown before the stream came to them.
    shown: HashSet<u64>,
}

/// The place of an event.
#[derive(Deserialize)]
struct Seq {
    seq: u64,
}
