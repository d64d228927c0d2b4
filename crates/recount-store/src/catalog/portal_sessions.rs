//! SQL of portal sessions and their tokens.

use super::{Catalog, CatalogError, CatalogTx, CommitPoint, on_read, on_tx};

/// One row of `portal_sessions`, without the link's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionRow {
    pub(crate) id: String,
    pub(crate) tenant: String,
    pub(crate) actor: String,
    pub(crate) scopes: String,
    pub(crate) origins: String,
    pub(crate) locale: Option<String>,
    pub(crate) return_url: Option<String>,
    pub(crate) tenant_name: Option<String>,
    pub(crate) ttl_us: i64,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) expires_at: i64,
    pub(crate) revoked_at: Option<i64>,
}

type Columns = (
    String,
    String,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    i64,
    i64,
    String,
    i64,
    Option<i64>,
);

impl From<Columns> for SessionRow {
    fn from(row: Columns) -> Self {
        let (
            id,
            tenant,
            actor,
            scopes,
            origins,
            locale,
            return_url,
            tenant_name,
            ttl_us,
            created_at,
            created_by,
            expires_at,
            revoked_at,
        ) = row;
        Self {
            id,
            tenant,
            actor,
            scopes,
            origins,
            locale,
            return_url,
            tenant_name,
            ttl_us,
            created_at,
            created_by,
            expires_at,
            revoked_at,
        }
    }
}

/// A token to be stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenRow<'a> {
    pub(crate) hash: &'a [u8],
    pub(crate) session: &'a str,
    pub(crate) expires_at: i64,
}

/// Rows that one call removes at most, so that cleaning up never holds the writer for long.
const EXPIRED_ROWS_MAX: i64 = 1_000;

impl Catalog {
    /// Stores a session with its link's code and its first token.
    pub(crate) async fn insert_session(
        &self,
        row: &SessionRow,
        code_hash: &[u8],
        code_expires_at: i64,
        token: TokenRow<'_>,
    ) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        on_tx!(tx, |db| {
            sqlx::query(
                "INSERT INTO portal_sessions (id, tenant, actor, scopes, origins, locale, return_url, tenant_name, ttl_us, created_at, \
                 created_by, expires_at, code_hash, code_expires_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            )
            .bind(&row.id)
            .bind(&row.tenant)
            .bind(&row.actor)
            .bind(&row.scopes)
            .bind(&row.origins)
            .bind(&row.locale)
            .bind(&row.return_url)
            .bind(&row.tenant_name)
            .bind(row.ttl_us)
            .bind(row.created_at)
            .bind(&row.created_by)
            .bind(row.expires_at)
            .bind(code_hash)
            .bind(code_expires_at)
            .execute(db)
            .await
            .map(drop)?;
        });
        insert_token(&mut tx, token).await?;
        self.commit(tx, CommitPoint::Access).await
    }

    /// The session to which an unused, fresh link code belongs, without using it up.
    pub(crate) async fn session_by_code(
        &self,
        code_hash: &[u8],
        now: i64,
    ) -> Result<Option<SessionRow>, CatalogError> {
        let row: Option<Columns> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT id, tenant, actor, scopes, origins, locale, return_url, tenant_name, ttl_us, created_at, created_by, \
                 expires_at, revoked_at FROM portal_sessions \
                 WHERE code_hash = $1 AND code_used_at IS NULL AND code_expires_at > $2 AND revoked_at IS NULL",
            )
            .bind(code_hash)
            .bind(now)
            .fetch_optional(db)
            .await?
        });
        Ok(row.map(Into::into))
    }

    /// Uses a link's code up and stores the token that it is exchanged for; `false` if it was used
    /// before or is too old. Of two calls at once, one wins.
    pub(crate) async fn use_code(
        &self,
        code_hash: &[u8],
        now: i64,
        token: TokenRow<'_>,
    ) -> Result<bool, CatalogError> {
        let mut tx = self.begin().await?;
        let used = on_tx!(tx, |db| {
            sqlx::query(
                "UPDATE portal_sessions SET code_used_at = $1 \
                 WHERE code_hash = $2 AND code_used_at IS NULL AND code_expires_at > $1 AND revoked_at IS NULL",
            )
            .bind(now)
            .bind(code_hash)
            .execute(db)
            .await?
            .rows_affected()
        });
        if used == 0 {
            return Ok(false);
        }
        insert_token(&mut tx, token).await?;
        self.commit(tx, CommitPoint::Access).await?;
        Ok(true)
    }

    /// Stores one more token of a session.
    pub(crate) async fn insert_session_token(&self, token: TokenRow<'_>) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        insert_token(&mut tx, token).await?;
        self.commit(tx, CommitPoint::Access).await
    }

    /// The session of the token with this hash, and when the token ends.
    pub(crate) async fn session_by_token(
        &self,
        hash: &[u8],
    ) -> Result<Option<(SessionRow, i64)>, CatalogError> {
        let token: Option<(String, i64)> = on_read!(self, |db| {
            sqlx::query_as("SELECT session, expires_at FROM portal_tokens WHERE hash = $1")
                .bind(hash)
                .fetch_optional(db)
                .await?
        });
        let Some((session, expires_at)) = token else { return Ok(None) };
        Ok(self.session_by_id(&session).await?.map(|row| (row, expires_at)))
    }

    /// The session with this id.
    pub(crate) async fn session_by_id(&self, id: &str) -> Result<Option<SessionRow>, CatalogError> {
        let row: Option<Columns> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT id, tenant, actor, scopes, origins, locale, return_url, tenant_name, ttl_us, created_at, created_by, \
                 expires_at, revoked_at FROM portal_sessions WHERE id = $1",
            )
            .bind(id)
            .fetch_optional(db)
            .await?
        });
        Ok(row.map(Into::into))
    }

    /// Ends a session: its link and all its tokens.
    pub(crate) async fn revoke_session(&self, id: &str, now: i64) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        on_tx!(tx, |db| {
            sqlx::query("UPDATE portal_sessions SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL")
                .bind(now)
                .bind(id)
                .execute(db)
                .await
                .map(drop)?;
        });
        self.commit(tx, CommitPoint::Access).await
    }

    /// Removes tokens and sessions that ended before `now`, some at a time.
    pub(crate) async fn remove_ended_sessions(&self, now: i64) -> Result<u64, CatalogError> {
        let mut tx = self.begin().await?;
        let tokens = on_tx!(tx, |db| {
            sqlx::query(
                "DELETE FROM portal_tokens WHERE hash IN \
                 (SELECT hash FROM portal_tokens WHERE expires_at < $1 LIMIT $2)",
            )
            .bind(now)
            .bind(EXPIRED_ROWS_MAX)
            .execute(db)
            .await?
            .rows_affected()
        });
        let sessions = on_tx!(tx, |db| {
            sqlx::query(
                "DELETE FROM portal_sessions WHERE id IN \
                 (SELECT id FROM portal_sessions WHERE expires_at < $1 LIMIT $2)",
            )
            .bind(now)
            .bind(EXPIRED_ROWS_MAX)
            .execute(db)
            .await?
            .rows_affected()
        });
        self.commit(tx, CommitPoint::Access).await?;
        Ok(tokens + sessions)
    }
}

async fn insert_token(tx: &mut CatalogTx, token: TokenRow<'_>) -> Result<(), CatalogError> {
    on_tx!(*tx, |db| {
        sqlx::query("INSERT INTO portal_tokens (hash, session, expires_at) VALUES ($1, $2, $3)")
            .bind(token.hash)
            .bind(token.session)
            .bind(token.expires_at)
            .execute(db)
            .await
            .map(drop)?;
    });
    Ok(())
}
