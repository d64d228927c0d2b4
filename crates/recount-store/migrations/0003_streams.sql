-- Streams: continuous exports of a tenant's log. Times are microseconds since 1970, UTC.

CREATE TABLE streams (
    id               TEXT   PRIMARY KEY,
    tenant           TEXT   NOT NULL,
    shard            BIGINT NOT NULL,  -- which delivery lease covers it
    name             TEXT   NOT NULL,
    destination_type TEXT   NOT NULL,
    destination      TEXT   NOT NULL,  -- JSON object, without secrets
    secrets          BYTEA  NOT NULL,  -- sealed JSON object
    format           TEXT   NOT NULL,
    filter           TEXT   NOT NULL,
    batch            TEXT   NOT NULL,  -- JSON object
    status           TEXT   NOT NULL,  -- draft | active | paused | disabled | deleted
    status_reason    TEXT   NOT NULL,
    revision         BIGINT NOT NULL,  -- moves with every change by a person: fences deliveries
    tested_at        BIGINT,           -- when what is configured now passed its test
    cursor_seq       BIGINT NOT NULL,  -- the first event not yet delivered
    health           TEXT   NOT NULL,  -- unknown | healthy | unhealthy | recovering
    failures         BIGINT NOT NULL,  -- failed attempts in a row
    refusals         BIGINT NOT NULL,  -- dead letters in a row, nothing accepted between
    retry_at         BIGINT NOT NULL,  -- no attempt before; 0 for none
    attempts         BIGINT NOT NULL,  -- made since creation
    delivered        BIGINT NOT NULL,  -- events accepted since creation
    dead_letters     BIGINT NOT NULL,  -- kept now
    last_success_at  BIGINT,
    last_error_at    BIGINT,
    last_error       TEXT   NOT NULL,
    created_at       BIGINT NOT NULL,
    created_by       TEXT   NOT NULL,
    changed_at       BIGINT NOT NULL
);
CREATE INDEX streams_tenant ON streams (tenant, created_at, id);
CREATE INDEX streams_shard ON streams (shard, status);
CREATE INDEX streams_changed ON streams (changed_at);
-- postgres: ALTER TABLE streams SET (fillfactor = 70);

-- The last attempts of each stream, kept in two rings (passed and failed), so that many passed ones
-- never push out the failed one that someone wants to see.
CREATE TABLE stream_attempts (
    stream      TEXT   NOT NULL,
    ring        BIGINT NOT NULL,  -- 0 passed, 1 failed, 2 test
    slot        BIGINT NOT NULL,  -- number modulo the ring's size
    number      BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    took_us     BIGINT NOT NULL,
    first_seq   BIGINT NOT NULL,
    last_seq    BIGINT NOT NULL,
    events      BIGINT NOT NULL,
    outcome     TEXT   NOT NULL,
    detail      TEXT   NOT NULL,  -- JSON object: request, status, answer, reason
    PRIMARY KEY (stream, ring, slot)
);

-- Events that a destination refused for good. The event itself stays in the log.
CREATE TABLE dead_letters (
    stream    TEXT   NOT NULL,
    seq       BIGINT NOT NULL,
    event_id  TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    reason    TEXT   NOT NULL,
    replays   BIGINT NOT NULL,
    PRIMARY KEY (stream, seq)
);
