-- The chains, the log, and one table for each record space.
--
-- Every record table has the tenant first in its key, so that it can be sharded by it and guarded by it. `key` sorts as
-- everywhere else; `body` holds the whole record; the other columns are for SQL and follow from it.

-- How many revisions there are. Its one row is what puts the groups of all hosts in one order: it is locked by the last
-- statement of a transaction, so whoever commits later has the higher revisions, and no reader can miss one.
CREATE TABLE backroom.log_end (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    revision bigint NOT NULL);
INSERT INTO backroom.log_end (revision) VALUES (0);

CREATE TABLE backroom.commit_log (
    revision bigint PRIMARY KEY,
    tenant bigint NOT NULL, number bigint NOT NULL, prev bytea NOT NULL, hash bytea NOT NULL, payload bytea NOT NULL,
    CONSTRAINT commit_log_chain UNIQUE (tenant, number));

CREATE TABLE backroom.chain_head (
    tenant bigint PRIMARY KEY,
    number bigint NOT NULL DEFAULT 0,
    hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    indexed bigint NOT NULL DEFAULT 0);
ALTER TABLE backroom.chain_head SET (fillfactor = 50);

CREATE TABLE backroom.chain_index (
    tenant bigint NOT NULL, number bigint NOT NULL, revision bigint NOT NULL,
    PRIMARY KEY (tenant, number));

-- Takes the heads of these chains, in order, and goes on only if each is the one that the new entries follow.
CREATE FUNCTION backroom.claim(tenants bigint[], numbers bigint[], hashes bytea[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    moved text;
BEGIN
    INSERT INTO backroom.chain_head (tenant) SELECT t FROM unnest(tenants) AS t ORDER BY t ON CONFLICT DO NOTHING;
    PERFORM 1 FROM backroom.chain_head h WHERE h.tenant = ANY (tenants) ORDER BY h.tenant FOR UPDATE;
    SELECT string_agg(e.tenant::text, ',') INTO moved
        FROM unnest(tenants, numbers, hashes) AS e(tenant, number, hash) JOIN backroom.chain_head h USING (tenant)
        WHERE h.number <> e.number OR h.hash <> e.hash;
    IF moved IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'BR001', MESSAGE = 'another host has committed', DETAIL = moved;
    END IF;
END
$$;

-- Record spaces without a table of their own. The first byte of the key is the space.
CREATE TABLE backroom.record (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.tenant (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    id text, name text, number bigint, created_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.api_key (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    name text, tenant_id text, role text, created_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.release (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    digest text, plugin text, version text, size bigint, created_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.installation (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    name text, release text, updated_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.run (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    id text, installation text, status text, number bigint, at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.plugin_state (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    installation text, name text,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.counter (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    series text, last bigint,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_account (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    code text, name text, type text, parent text, currency text, posting boolean, stock_control boolean, recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_entry (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    id text, number bigint, date date, description text, lines jsonb, parts bigint, run text, recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_entry_number (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    number bigint, id text,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_account_total (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    account text, currency text, debits numeric, credits numeric,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_account_day (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    account text, date date, debits numeric, credits numeric,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_entry_lines (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    entry text, part bigint, lines jsonb,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.hr_worker (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    id text, name text, email text, recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.hr_employment (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    worker text, first_day date, last_day date, position text, place text, cost_center text, recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.hr_benefit (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    id text, worker text, plan text, first_day date, last_day date, minor bigint, currency text, cost_center text, entry text, run text, recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.hr_benefit_by_worker (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    worker text, plan text, benefit text,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.hr_benefit_by_plan (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    plan text, worker text, benefit text,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.inventory_item (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    id text, name text, unit text, decimals bigint, tracking text, stock_account text, currency text, recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.inventory_location (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    id text, name text, usage text, recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.inventory_lot (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    id text, item text, expiry date, recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.inventory_move (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    id text, number bigint, date date, item text, quantity numeric, from_location text, to_location text, lot text, minor bigint, currency text, stock_account text, worker text, reason text, entry text, run text, recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.inventory_move_number (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    number bigint, id text,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.inventory_on_hand (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    item text, location text, lot text, decimals bigint, entered_units numeric, left_units numeric,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.inventory_valuation (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    item text, stock_account text, quantity numeric, minor bigint, currency text,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.inventory_serial_place (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    serial text, location text,
    PRIMARY KEY (tenant, key));

-- The store's own records as they are on every engine.
CREATE VIEW backroom.chain WITH (security_invoker = true) AS
    SELECT tenant, '\x68'::bytea AS key, int8send(number) || hash || int8send(indexed) AS body FROM backroom.chain_head
    UNION ALL
    SELECT tenant, '\x69'::bytea || int8send(number), int8send(revision) FROM backroom.chain_index;

-- The second wall: who reads for a tenant sees that tenant, and nothing before one is set. The owner, as whom the
-- committer writes for many tenants at once, is not bound by it.
DO $$
DECLARE
    t text;
BEGIN
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'backroom' AND tablename NOT IN ('migration', 'log_end') LOOP
        EXECUTE format('ALTER TABLE backroom.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_tenant ON backroom.%I FOR SELECT TO backroom_reader '
            'USING (tenant = nullif(current_setting(''backroom.tenant'', true), '''')::bigint)', t);
    END LOOP;
END
$$;
GRANT USAGE ON SCHEMA backroom TO backroom_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA backroom TO backroom_reader;
