//! `recount serve`: run a server.

use std::path::PathBuf;

use crate::config::{ConfigError, Loader, Resolved};
use crate::exit::{Exit, Failed};
use crate::output;
use crate::server::Running;

/// How the server is configured.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Configuration")]
pub struct Settings {
    /// Read settings from this TOML file
    #[arg(long, env = "RECOUNT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder that holds everything
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// The address and port to listen on
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Set any setting; can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Settings {
    /// Brings defaults, file, environment and flags together; `prepare` may change defaults.
    ///
    /// # Errors
    /// The first mistake, with its place, the value and what was expected.
    pub fn load(&self, prepare: impl FnOnce(&mut Loader)) -> Result<Resolved, Failed> {
        self.layers(prepare).map_err(|error| Failed::new(Exit::Config, error.to_string()))
    }

    fn layers(&self, prepare: impl FnOnce(&mut Loader)) -> Result<Resolved, ConfigError> {
        let mut loader = Loader::default();
        prepare(&mut loader);
        if let Some(path) = &self.config {
            loader.file(path)?;
        }
        loader.environment(std::env::vars())?;
        for (flag, key, value) in
            [("--data-dir", "data_dir", &self.data_dir), ("--listen", "listen", &self.listen)]
        {
            if let Some(value) = value {
                loader.flag(flag, key, value)?;
            }
        }
        for assignment in &self.set {
            let (key, value) = assignment.split_once('=').ok_or_else(|| ConfigError::Value {
                place: "--set".to_owned(),
                key: assignment.clone(),
                value: "nothing".to_owned(),
                expected: "KEY=VALUE".to_owned(),
            })?;
            loader.flag("--set", key.trim(), value.trim())?;
        }
        loader.finish()
    }
}

/// Run a server
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without configuration everything is in ./recount-data, and the first start prints the
operator's key. SIGTERM and SIGINT stop it after open requests are done; a second one stops it
at once.

Examples:
  recount serve
  recount serve --data-dir /var/lib/recount --listen 0.0.0.0:8787
  recount serve --config /etc/recount.toml --set log.level=debug
  RECOUNT_CATALOG=postgres://… RECOUNT_OBJECTS=s3://bucket/prefix RECOUNT_SECRET_KEY=… recount serve

`recount config` shows the settings in force, `recount config --defaults` all there are.")]
pub struct Serve {
    #[command(flatten)]
    settings: Settings,
}

impl Serve {
    /// Runs until it is told to stop.
    ///
    /// # Errors
    /// Why it cannot start, each with a code of its own.
    pub async fn run(self) -> Result<Exit, Failed> {
        let resolved = self.settings.load(|_| {})?;
        crate::telemetry::begin(
            resolved.text("log.level").unwrap_or("info"),
            resolved.text("log.format").unwrap_or("auto"),
        )?;
        if !resolved.ignored().is_empty() {
            tracing::warn!(
                names = resolved.ignored().join(" "),
                "variables that are no settings are ignored"
            );
        }
        let running = Running::start(&resolved).await?;
        if let Some(key) = running.new_operator_key() {
            output::line("The operator's key; it is shown this once and stored nowhere:")?;
            output::line(&format!("  {key}"))?;
            output::flush()?;
        }
        running.until_stopped().await
    }
}
