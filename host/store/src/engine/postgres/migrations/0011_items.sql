-- Open items, matches, bank statements.

CREATE TABLE backroom.ledger_open_item (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    account text, entry text, line bigint, side text, currency text, minor bigint, open bigint, party text, date date, due date,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_closed_item (LIKE backroom.ledger_open_item INCLUDING ALL);

CREATE TABLE backroom.ledger_match (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    id text, account text, date date, entry text, recorded_at timestamptz, undone_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.bank_statement (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    account text, number bigint, id text, added bigint, duplicates bigint, recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.bank_statement_id (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    account text, id text, number bigint,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.bank_line (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    account text, id text, date date, side text, minor bigint, counterparty text, reference text, statement text, entry text, line bigint,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.bank_open_line (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    account text, date date, line text,
    PRIMARY KEY (tenant, key));

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['ledger_open_item', 'ledger_closed_item', 'ledger_match', 'bank_statement', 'bank_statement_id', 'bank_line',
        'bank_open_line'] LOOP
        EXECUTE format('ALTER TABLE backroom.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_tenant ON backroom.%I FOR SELECT TO backroom_reader '
            'USING (tenant = nullif(current_setting(''backroom.tenant'', true), '''')::bigint)', t);
        EXECUTE format('GRANT SELECT ON backroom.%I TO backroom_reader', t);
    END LOOP;
END
$$;

CREATE VIEW bi.open_item AS
    SELECT tenant, account, entry, line, side, currency, bi.amount(minor, currency) AS amount, bi.amount(open, currency) AS open,
        party, date, due
    FROM backroom.ledger_open_item;

CREATE VIEW bi.bank_line AS
    SELECT tenant, account, id, date, side, minor, counterparty, reference, statement, entry, line FROM backroom.bank_line;

GRANT SELECT ON bi.open_item, bi.bank_line TO backroom_bi;
