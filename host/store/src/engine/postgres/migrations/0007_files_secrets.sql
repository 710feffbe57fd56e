-- Files: what is known of each, its content in pieces, and how much room is taken. Secrets, sealed.

CREATE TABLE backroom.file (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    folder text, path text, size bigint, digest text, date date, run text, recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.file_piece (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    folder text, path text, number bigint,
    PRIMARY KEY (tenant, key));
-- What is in a file may be compressed already, and is never searched.
ALTER TABLE backroom.file_piece ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE TABLE backroom.file_folder (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    name text, files bigint, bytes bigint, quota bigint,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.file_total (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    folders bigint, files bigint, bytes bigint, quota bigint,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.secret (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    name text, updated_at timestamptz,
    PRIMARY KEY (tenant, key));

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['file', 'file_piece', 'file_folder', 'file_total', 'secret'] LOOP
        EXECUTE format('ALTER TABLE backroom.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_tenant ON backroom.%I FOR SELECT TO backroom_reader '
            'USING (tenant = nullif(current_setting(''backroom.tenant'', true), '''')::bigint)', t);
        EXECUTE format('GRANT SELECT ON backroom.%I TO backroom_reader', t);
    END LOOP;
END
$$;
