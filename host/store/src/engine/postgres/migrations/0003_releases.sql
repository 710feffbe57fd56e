-- The components of releases, for all hosts. They are named by their digest, belong to no tenant, and are for the owner alone.

CREATE TABLE backroom.release_bytes (
    digest text PRIMARY KEY,
    bytes bytea NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT now());
-- Components do not shrink by much, and are read whole.
ALTER TABLE backroom.release_bytes ALTER COLUMN bytes SET STORAGE EXTERNAL;
ALTER TABLE backroom.release_bytes ENABLE ROW LEVEL SECURITY;
