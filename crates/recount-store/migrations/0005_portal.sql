-- What the hosted portal shows and exports hold. Times are microseconds since 1970, UTC.

ALTER TABLE portal_sessions ADD COLUMN tenant_name TEXT;

-- How the file is written, JSON of the server; NULL for the format's defaults.
ALTER TABLE exports ADD COLUMN options TEXT;
