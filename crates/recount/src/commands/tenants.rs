//! `recount tenants`: create and look at tenants.

use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::keys::escape;
use crate::client::{Client, Connection};
use crate::exit::{Exit, Failed};
use crate::output;

/// Create and look at tenants
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The first event of a tenant creates it, unless the server runs with create_tenants = false.

Examples:
  recount tenants list
  recount tenants create acme
  recount tenants show acme --json
  recount tenants retain acme --days 400")]
pub struct Tenants {
    #[command(subcommand)]
    command: TenantsCommand,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Subcommand)]
enum TenantsCommand {
    /// Create a tenant
    Create {
        /// Its id: 1 to 128 of A-Z a-z 0-9 . _ ~ : @ + = -
        id: String,
    },
    /// List tenants by name
    List {
        /// Print them as they are, one a line
        #[arg(long)]
        json: bool,
    },
    /// Set for how many days a tenant's events are kept
    ///
    /// Events that were received earlier are removed, at the end of the day (UTC) and for good. The
    /// tenant's log says so in events of its own, and so does every change of this.
    #[command(group = clap::ArgGroup::new("kept").required(true))]
    Retain {
        /// Its id
        id: String,
        /// For so many days; not fewer than ids are recognised (dedup_window_days)
        #[arg(long, group = "kept", value_name = "DAYS")]
        days: Option<u32>,
        /// For as long as the server keeps events of all tenants (retention_days)
        #[arg(long, group = "kept")]
        default: bool,
    },
    /// Show one tenant
    Show {
        /// Its id
        id: String,
        /// Print it as it is
        #[arg(long)]
        json: bool,
    },
}

impl Tenants {
    /// Does it.
    ///
    /// # Errors
    /// If the server says no.
    pub async fn run(self) -> Result<Exit, Failed> {
        let client = Client::new(&self.connection)?.without_tenant();
        match self.command {
            TenantsCommand::Create { id } => {
                client.post::<IgnoredAny>("/v1/tenants", &json!({"id": id})).await?;
                eprintln!("created {id}");
            }
            TenantsCommand::List { json } => print(&client.all_pages("/v1/tenants", &[]).await?, json)?,
            TenantsCommand::Retain { id, days, default: _ } => {
                let path = format!("/v1/tenants/{}", escape(&id));
                let tenant = client.patch(&path, &json!({"retention_days": days})).await?;
                match tenant["retention_days"].as_u64() {
                    Some(days) => eprintln!("events of {id} are kept for {days} days"),
                    None => eprintln!("events of {id} are kept for ever"),
                }
            }
            TenantsCommand::Show { id, json } => {
                print(&[client.get(&format!("/v1/tenants/{}", escape(&id)), &[]).await?], json)?;
            }
        }
        Ok(Exit::Success)
    }
}

fn print(tenants: &[Box<RawValue>], as_json: bool) -> Result<(), Failed> {
    if as_json {
        return tenants.iter().try_for_each(|tenant| output::line(tenant.get()));
    }
    let text = |tenant: &Value, name: &str| match tenant.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => indicatif::HumanCount(number.as_u64().unwrap_or(0)).to_string(),
        _ => "–".to_owned(),
    };
    let kept = |tenant: &Value| match tenant["retention_days"].as_u64() {
        Some(days) => format!("{days} days"),
        None => "for ever".to_owned(),
    };
    let rows: Vec<Vec<String>> = tenants
        .iter()
        .map(|tenant| output::value(tenant))
        .map(|tenant| {
            let mut cells =
                ["id", "events", "created_at", "last_received_at"].map(|name| text(&tenant, name)).to_vec();
            cells.push(kept(&tenant));
            cells
        })
        .collect();
    output::line(&output::table(&["tenant", "events", "created", "last event received", "kept"], &rows))
}
