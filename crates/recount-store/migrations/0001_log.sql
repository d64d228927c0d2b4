-- The log: tenants, their tails, their segments, and the work around them.
-- Times are microseconds since 1970 UTC. Lines that start with "-- postgres:"
-- or "-- sqlite:" run on that database only.

CREATE TABLE tenants (
    tenant           TEXT   NOT NULL PRIMARY KEY,
    created_at       BIGINT NOT NULL,
    next_seq         BIGINT NOT NULL,
    last_received_at BIGINT NOT NULL,
    -- Goes up with every change of the tenant's rows in tail_batches and segments but appends.
    layout           BIGINT NOT NULL,
    tail_batches     BIGINT NOT NULL,
    tail_events      BIGINT NOT NULL,
    tail_bytes       BIGINT NOT NULL,
    -- received_at of the tail's first event; meaningless while the tail is empty.
    tail_since       BIGINT NOT NULL
)
-- sqlite: WITHOUT ROWID
;
-- postgres: ALTER TABLE tenants SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- One row per tenant and commit (or per fold of many such rows).
CREATE TABLE tail_batches (
    tenant       TEXT   NOT NULL,
    first_seq    BIGINT NOT NULL,
    events       BIGINT NOT NULL,
    raw_bytes    BIGINT NOT NULL,
    min_occurred BIGINT NOT NULL,
    max_occurred BIGINT NOT NULL,
    min_received BIGINT NOT NULL,
    max_received BIGINT NOT NULL,
    -- xxh3 of each event's id, 8 bytes little-endian each, in seq order.
    id_hashes    BYTEA  NOT NULL,
    -- The events: docs/formats/tail-batch.md.
    body         BYTEA  NOT NULL,
    PRIMARY KEY (tenant, first_seq)
);
-- postgres: ALTER TABLE tail_batches ALTER COLUMN body SET STORAGE EXTERNAL;
-- postgres: ALTER TABLE tail_batches ALTER COLUMN id_hashes SET STORAGE EXTERNAL;

CREATE TABLE segments (
    tenant       TEXT   NOT NULL,
    first_seq    BIGINT NOT NULL,
    last_seq     BIGINT NOT NULL,
    object       TEXT   NOT NULL,
    bytes        BIGINT NOT NULL,
    min_occurred BIGINT NOT NULL,
    max_occurred BIGINT NOT NULL,
    min_received BIGINT NOT NULL,
    max_received BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant, first_seq)
);

-- Objects that nothing refers to: intents of writers that have not committed, and what was replaced.
CREATE TABLE garbage (
    object       TEXT   NOT NULL PRIMARY KEY,
    delete_after BIGINT NOT NULL,
    -- 1 once the collector has begun to delete: the object can't be committed any more.
    claimed      BIGINT NOT NULL
);
CREATE INDEX garbage_due ON garbage (delete_after);

-- Work that one node does at a time. The epoch goes up whenever the holder changes.
CREATE TABLE leases (
    name       TEXT   NOT NULL PRIMARY KEY,
    holder     TEXT   NOT NULL,
    epoch      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
