//! `recount keys`: make, list and revoke API keys.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::client::{Client, Connection};
use crate::exit::{Exit, Failed};
use crate::output;

/// Make, list and revoke API keys
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  recount keys create --name backend --scope events:write      for your backends, all tenants
  recount keys create --name app --scope sessions:create       opens the portal for people
  recount keys create --name nightly --tenant acme --scope exports:write
  recount keys list
  recount keys revoke 4f8Q2mZk71Lx

Scopes: events:write, events:read, exports:write, streams:manage, keys:manage, proof:read,
and for the vendor's side tenants:manage, sessions:create, operator.")]
pub struct Keys {
    #[command(subcommand)]
    command: KeysCommand,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Subcommand)]
enum KeysCommand {
    /// Make a key; its text is printed this once
    Create {
        /// A name for people
        #[arg(long, default_value = "cli")]
        name: String,
        /// What it may do; can be repeated
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,
        /// When it ends: RFC 3339
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
        /// Print the whole answer as JSON instead of the key alone
        #[arg(long)]
        json: bool,
    },
    /// List keys, newest first
    List {
        /// Print them as they are, one a line
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key at once
    Revoke {
        /// The key's id, as listed
        id: String,
    },
}

impl Keys {
    /// Does it.
    ///
    /// # Errors
    /// If the server says no.
    pub async fn run(self) -> Result<Exit, Failed> {
        let client = Client::new(&self.connection)?;
        match self.command {
            KeysCommand::Create { name, scopes, expires_at, json } => {
                create(&client, &name, &scopes, expires_at.as_deref(), json).await
            }
            KeysCommand::List { json } => list(&client, json).await,
            KeysCommand::Revoke { id } => {
                client.without_tenant().delete(&format!("/v1/keys/{}", escape(&id))).await?;
                eprintln!("revoked {id}");
                Ok(Exit::Success)
            }
        }
    }
}

/// A path segment.
pub(super) fn escape(id: &str) -> String {
    url::form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>().replace('+', "%20")
}

async fn create(
    client: &Client,
    name: &str,
    scopes: &[String],
    expires_at: Option<&str>,
    as_json: bool,
) -> Result<Exit, Failed> {
    let mut body = json!({"name": name, "scopes": scopes});
    if let Some(tenant) = client.tenant() {
        body["tenant"] = tenant.into();
    }
    if let Some(time) = expires_at {
        body["expires_at"] = time.into();
    }
    let raw: Box<RawValue> = client.without_tenant().post("/v1/keys", &body).await?;
    if as_json {
        output::line(raw.get())?;
    } else {
        let key = output::value(&raw);
        output::line(text(&key, "key"))?;
        if output::errors_on_terminal() {
            eprintln!("id {}; the key is shown this once and stored nowhere", text(&key, "id"));
        }
    }
    Ok(Exit::Success)
}

async fn list(client: &Client, as_json: bool) -> Result<Exit, Failed> {
    let keys: Vec<Box<RawValue>> = client.all_pages("/v1/keys", &[]).await?;
    if as_json {
        keys.iter().try_for_each(|key| output::line(key.get()))?;
        return Ok(Exit::Success);
    }
    let rows: Vec<Vec<String>> = keys.iter().map(|key| row(&output::value(key))).collect();
    output::line(&output::table(&["id", "name", "kind", "tenant", "scopes", "state", "last used"], &rows))?;
    Ok(Exit::Success)
}

fn row(key: &Value) -> Vec<String> {
    let scopes = key.get("scopes").and_then(Value::as_array).map_or_else(String::new, |scopes| {
        scopes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
    });
    let state = match (text(key, "revoked_at"), text(key, "expires_at")) {
        ("", "") => "active".to_owned(),
        ("", expires) => format!("until {expires}"),
        (revoked, _) => format!("revoked {revoked}"),
    };
    let or_dash = |name: &str| match text(key, name) {
        "" => "–".to_owned(),
        text => text.to_owned(),
    };
    vec![
        or_dash("id"),
        or_dash("name"),
        or_dash("kind"),
        or_dash("tenant"),
        scopes,
        state,
        or_dash("last_used_at"),
    ]
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
