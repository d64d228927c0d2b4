//! Settings: small values that belong to the whole deployment.

use super::{Catalog, CatalogError, CommitPoint, on_read, on_tx};

impl Catalog {
    /// The value of a setting.
    pub(crate) async fn setting(&self, name: &str) -> Result<Option<String>, CatalogError> {
        let row: Option<(String,)> = on_read!(self, |db| {
            sqlx::query_as("SELECT value FROM settings WHERE name = $1").bind(name).fetch_optional(db).await?
        });
        Ok(row.map(|(value,)| value))
    }

    /// Sets a value that is not set yet, and returns the one in force: the first node's wins.
    pub(crate) async fn setting_or(&self, name: &str, value: &str) -> Result<String, CatalogError> {
        let mut tx = self.begin().await?;
        on_tx!(tx, |db| {
            sqlx::query("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
                .bind(name)
                .bind(value)
                .execute(db)
                .await?;
        });
        self.commit(tx, CommitPoint::Access).await?;
        Ok(self.setting(name).await?.unwrap_or_else(|| value.to_owned()))
    }
}
