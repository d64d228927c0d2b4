-- Retention: how long a tenant's events are kept, and where its log begins since earlier ones were removed.

ALTER TABLE tenants ADD COLUMN first_seq BIGINT NOT NULL DEFAULT 0;
-- NULL: as long as the deployment keeps events of all tenants.
ALTER TABLE tenants ADD COLUMN retention_days BIGINT;
