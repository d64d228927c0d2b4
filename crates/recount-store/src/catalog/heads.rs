//! SQL of heads: which of the watched logs have grown.

use recount_event::TenantId;

use super::streams::number;
use super::{Catalog, CatalogError, Pool};

impl Catalog {
    /// Those of the tenants that have more events than is known, with their next `seq`: one
    /// statement for however many. On SQLite, which no other node writes to, there are none.
    pub(crate) async fn moved_heads(
        &self,
        known: &[(TenantId, u64)],
    ) -> Result<Vec<(TenantId, u64)>, CatalogError> {
        let Pool::Postgres { read, .. } = self.pool() else { return Ok(Vec::new()) };
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let (tenants, heads): (Vec<&str>, Vec<i64>) =
            known.iter().map(|(tenant, head)| (tenant.as_ref(), number(*head))).unzip();
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT t.tenant, t.next_seq FROM unnest($1::text[], $2::bigint[]) AS known (tenant, next_seq) \
             JOIN tenants t ON t.tenant = known.tenant WHERE t.next_seq > known.next_seq",
        )
        .bind(tenants)
        .bind(heads)
        .fetch_all(read)
        .await?;
        rows.into_iter()
            .map(|(tenant, head)| {
                let name = tenant.parse().map_err(|_| CatalogError::Corrupt {
                    object: format!("tenant {tenant:?}"),
                    what: "that is no tenant's name".to_owned(),
                })?;
                Ok((name, u64::try_from(head).unwrap_or(0)))
            })
            .collect()
    }
}
