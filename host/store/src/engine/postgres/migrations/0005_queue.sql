-- Runs that wait, and which host works through which tenant's queue.

CREATE TABLE backroom.queued_run (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    id text, installation text, number bigint, queued_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.queue_place (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    number bigint, id text, queued_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.queue_length (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    length bigint,
    PRIMARY KEY (tenant, key));

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['queued_run', 'queue_place', 'queue_length'] LOOP
        EXECUTE format('ALTER TABLE backroom.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_tenant ON backroom.%I FOR SELECT TO backroom_reader '
            'USING (tenant = nullif(current_setting(''backroom.tenant'', true), '''')::bigint)', t);
        EXECUTE format('GRANT SELECT ON backroom.%I TO backroom_reader', t);
    END LOOP;
END
$$;

-- Not part of the log, and of no interest once it is over: the clock that counts is that of the database.
CREATE TABLE backroom.run_lease (
    tenant bigint PRIMARY KEY,
    owner text,
    fence bigint NOT NULL DEFAULT 0,
    leased_at timestamptz NOT NULL DEFAULT '-infinity',
    lease_until timestamptz NOT NULL DEFAULT '-infinity');
ALTER TABLE backroom.run_lease ENABLE ROW LEVEL SECURITY;

-- Goes on only if each of these fences is still the newest of its tenant; nobody can take a lease over before the commit.
CREATE FUNCTION backroom.check_fences(tenants bigint[], fences bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    lost text;
BEGIN
    PERFORM 1 FROM backroom.run_lease l WHERE l.tenant = ANY (tenants) ORDER BY l.tenant FOR SHARE;
    SELECT string_agg(e.tenant::text, ',') INTO lost
        FROM unnest(tenants, fences) AS e(tenant, fence) LEFT JOIN backroom.run_lease l USING (tenant)
        WHERE l.fence IS DISTINCT FROM e.fence;
    IF lost IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'BR001', MESSAGE = 'the lease was lost to another host', DETAIL = lost;
    END IF;
END
$$;
