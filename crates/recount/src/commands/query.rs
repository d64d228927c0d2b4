//! The options of commands that ask for events.

use crate::client::{Client, Problem};
use crate::exit::{Exit, Failed};
use crate::when;

/// Which events.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Query {
    /// Filter terms, all of which must hold: actor:ada action:user.* -outcome:success word
    #[arg(value_name = "FILTER")]
    pub(super) filter: Vec<String>,
    /// From this time on: 15m, 6h, 7d (before now), today, yesterday, 2026-11-23, or RFC 3339
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) from: Option<String>,
    /// Before this time, written likewise
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) to: Option<String>,
}

impl Query {
    /// The filter as one text.
    #[must_use]
    pub(super) fn filter_text(&self) -> String {
        self.filter.iter().map(|term| term.trim()).collect::<Vec<_>>().join(" ")
    }

    /// The query parameters.
    ///
    /// # Errors
    /// If a time or the filter is wrong.
    pub(super) fn parameters(&self) -> Result<Vec<(&'static str, String)>, Failed> {
        let filter = self.checked_filter()?;
        let now = jiff::Timestamp::from_microsecond(recount_store::env::Env::system().now().as_micros())
            .map_err(|error| Failed::new(Exit::Failure, format!("this machine's clock is wrong: {error}")))?;
        let mut parameters = Vec::new();
        if !filter.is_empty() {
            parameters.push(("filter", filter));
        }
        for (name, text) in [("from", &self.from), ("to", &self.to)] {
            if let Some(text) = text {
                let time = when::parse(text, now)
                    .map_err(|detail| Failed::new(Exit::Usage, format!("--{name}: {detail}")))?;
                parameters.push((name, time));
            }
        }
        Ok(parameters)
    }

    /// Checks the filter here, so that a mistake shows its place without a server.
    fn checked_filter(&self) -> Result<String, Failed> {
        let filter = self.filter_text();
        match recount_event::Filter::parse(&filter) {
            Ok(_) => Ok(filter),
            Err(error) => {
                let problem = Problem {
                    position: Some(error.position),
                    length: Some(error.length),
                    ..Problem::default()
                };
                let place = problem.underline(&filter).unwrap_or_default();
                Err(Failed::new(Exit::Config, format!("the filter has a mistake: {}\n{place}", error.detail)))
            }
        }
    }
}

/// Fails early where no key was given.
pub(super) fn need_tenant_hint(client: &Client, failed: Failed) -> Failed {
    if failed.to_string().contains("Name a tenant") && client.tenant().is_none() {
        return failed.hint("this key is not bound to a tenant: name one with --tenant or RECOUNT_TENANT");
    }
    failed
}
