-- Credentials and what people keep in the portal. Times are microseconds since 1970, UTC.

-- API keys. Only the SHA-256 of the text is stored.
CREATE TABLE keys (
    id           TEXT   PRIMARY KEY,
    tenant       TEXT   NOT NULL,  -- '' for a key of the vendor's side
    kind         TEXT   NOT NULL,  -- op | in | tn
    name         TEXT   NOT NULL,
    hash         BYTEA  NOT NULL,
    scopes       TEXT   NOT NULL,  -- names separated by spaces
    created_at   BIGINT NOT NULL,
    created_by   TEXT   NOT NULL,  -- 'key/<id>', 'session/<id>', 'environment', 'first-start'
    expires_at   BIGINT,
    revoked_at   BIGINT,
    last_used_at BIGINT            -- kept to the minute
);
CREATE UNIQUE INDEX keys_hash ON keys (hash);
CREATE INDEX keys_tenant ON keys (tenant, created_at, id);

-- A person of a tenant let into the portal by the vendor's backend.
CREATE TABLE portal_sessions (
    id              TEXT   PRIMARY KEY,
    tenant          TEXT   NOT NULL,
    actor           TEXT   NOT NULL,  -- JSON {"type","id","name"?,"email"?}
    scopes          TEXT   NOT NULL,
    origins         TEXT   NOT NULL,  -- JSON array of origins that may use its tokens from a browser
    locale          TEXT,
    return_url      TEXT,
    ttl_us          BIGINT NOT NULL,  -- life of one token
    created_at      BIGINT NOT NULL,
    created_by      TEXT   NOT NULL,
    expires_at      BIGINT NOT NULL,  -- no token of the session outlives this
    code_hash       BYTEA  NOT NULL,  -- the link's one-time code
    code_expires_at BIGINT NOT NULL,
    code_used_at    BIGINT,
    revoked_at      BIGINT
);
CREATE UNIQUE INDEX portal_sessions_code ON portal_sessions (code_hash);
CREATE INDEX portal_sessions_tenant ON portal_sessions (tenant, id);
CREATE INDEX portal_sessions_expiry ON portal_sessions (expires_at);

-- The bearer tokens of portal sessions.
CREATE TABLE portal_tokens (
    hash       BYTEA  PRIMARY KEY,
    session    TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX portal_tokens_expiry ON portal_tokens (expires_at);
CREATE INDEX portal_tokens_session ON portal_tokens (session);

-- Views of the log that people saved, private to one actor or shared in the tenant.
CREATE TABLE saved_views (
    tenant     TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    owner      TEXT   NOT NULL,   -- 'actor/<type>/<id>' or 'key/<id>'
    name       TEXT   NOT NULL,
    shared     BIGINT NOT NULL,   -- 0 | 1
    is_default BIGINT NOT NULL,   -- 0 | 1: the view its owner starts with
    view       TEXT   NOT NULL,   -- JSON object of the portal
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX saved_views_owner ON saved_views (tenant, owner);

-- Export jobs. The file is an object under the tenant's prefix.
CREATE TABLE exports (
    tenant           TEXT   NOT NULL,
    id               TEXT   NOT NULL,
    name             TEXT   NOT NULL,
    created_by       TEXT   NOT NULL,  -- as in keys
    actor            TEXT   NOT NULL,  -- JSON, who asked
    format           TEXT   NOT NULL,
    filter           TEXT   NOT NULL,
    from_us          BIGINT,
    to_us            BIGINT,
    ascending        BIGINT NOT NULL,
    state            TEXT   NOT NULL,  -- queued | running | ready | failed | expired
    pin              BIGINT NOT NULL,  -- the log's size when it was asked for
    rows_done        BIGINT NOT NULL,
    bytes            BIGINT NOT NULL,
    sha256           TEXT,
    object           TEXT,
    error            TEXT,
    created_at       BIGINT NOT NULL,
    started_at       BIGINT,
    finished_at      BIGINT,
    expires_at       BIGINT NOT NULL,
    holder           TEXT,             -- the node at work on it
    holder_until     BIGINT NOT NULL,  -- a later look may take the job over
    attempts         BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX exports_state ON exports (state, holder_until);
