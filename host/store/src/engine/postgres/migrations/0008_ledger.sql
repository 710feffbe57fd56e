-- Books, holds, taken names, and what accounts, entries and totals have gained with them.

CREATE TABLE backroom.ledger_book (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    id text, name text, base text, year_start bigint, recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_hold (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    id text, date date, description text, state text, lines jsonb, kept jsonb, run text, book text,
    recorded_at timestamptz, expires_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_hold_expiry (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    at timestamptz, hold text,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_taken_name (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    book text, name text, by text,
    PRIMARY KEY (tenant, key));

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['ledger_book', 'ledger_hold', 'ledger_hold_expiry', 'ledger_taken_name'] LOOP
        EXECUTE format('ALTER TABLE backroom.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_tenant ON backroom.%I FOR SELECT TO backroom_reader '
            'USING (tenant = nullif(current_setting(''backroom.tenant'', true), '''')::bigint)', t);
        EXECUTE format('GRANT SELECT ON backroom.%I TO backroom_reader', t);
    END LOOP;
END
$$;

ALTER TABLE backroom.ledger_account ADD COLUMN version bigint, ADD COLUMN closed_at timestamptz;
ALTER TABLE backroom.ledger_entry ADD COLUMN book text, ADD COLUMN reference text, ADD COLUMN kind text,
    ADD COLUMN reverses text, ADD COLUMN reversed_by text, ADD COLUMN settles text;
ALTER TABLE backroom.ledger_account_total ADD COLUMN debits_held numeric, ADD COLUMN credits_held numeric,
    ADD COLUMN base_currency text, ADD COLUMN base_debits numeric, ADD COLUMN base_credits numeric;
ALTER TABLE backroom.ledger_account_day ADD COLUMN debits_held numeric, ADD COLUMN credits_held numeric,
    ADD COLUMN base_debits numeric, ADD COLUMN base_credits numeric;

CREATE VIEW bi.book AS
    SELECT tenant, id, name, base, year_start, recorded_at FROM backroom.ledger_book;

CREATE VIEW bi.hold AS
    SELECT tenant, id, book, date, description, state, lines, kept, run, recorded_at, expires_at FROM backroom.ledger_hold;

CREATE OR REPLACE VIEW bi.account AS
    SELECT tenant, code, name, type, parent, currency, posting, stock_control, recorded_at,
        coalesce(version, 0) AS version, closed_at
    FROM backroom.ledger_account;

CREATE OR REPLACE VIEW bi.journal_entry AS
    SELECT tenant, number, id, date, description, run, recorded_at,
        coalesce(book, 'main') AS book, reference, coalesce(kind, 'manual') AS kind, reverses, reversed_by, settles
    FROM backroom.ledger_entry;

CREATE OR REPLACE VIEW bi.journal_line AS
    WITH line AS (
        SELECT e.tenant, e.id, l.line, l.n FROM backroom.ledger_entry e,
            LATERAL jsonb_array_elements(e.lines) WITH ORDINALITY AS l(line, n)
        UNION ALL
        -- Further lines of long entries: 25 in each part.
        SELECT p.tenant, p.entry, l.line, l.n + 25 * p.part FROM backroom.ledger_entry_lines p,
            LATERAL jsonb_array_elements(p.lines) WITH ORDINALITY AS l(line, n))
    SELECT e.tenant, e.number, e.id AS entry, e.date, e.description, l.n AS line,
        l.line ->> 'account' AS account,
        l.line ->> 'side' AS side,
        (l.line #>> '{amount,minor}')::bigint AS minor,
        l.line #>> '{amount,currency}' AS currency,
        bi.amount((l.line #>> '{amount,minor}')::numeric, l.line #>> '{amount,currency}') AS amount,
        l.line ->> 'memo' AS memo,
        coalesce(l.line -> 'dimensions', '[]') AS dimensions,
        e.run, e.recorded_at,
        l.line #>> '{details,base,currency}' AS base_currency,
        bi.amount((l.line #>> '{details,base,minor}')::numeric, l.line #>> '{details,base,currency}') AS base,
        (l.line #>> '{details,rate}')::numeric AS rate,
        l.line #>> '{details,party}' AS party,
        (l.line #>> '{details,due}')::date AS due
    FROM line l JOIN backroom.ledger_entry e ON e.tenant = l.tenant AND e.id = l.id;

CREATE OR REPLACE VIEW bi.balance AS
    SELECT t.tenant, t.account, a.name, a.type, t.currency,
        bi.amount(t.debits, t.currency) AS debits, bi.amount(t.credits, t.currency) AS credits,
        bi.amount(t.debits - t.credits, t.currency) AS balance,
        bi.amount(coalesce(t.debits_held, 0), t.currency) AS debits_held,
        bi.amount(coalesce(t.credits_held, 0), t.currency) AS credits_held,
        t.base_currency,
        bi.amount(t.base_debits, t.base_currency) AS base_debits, bi.amount(t.base_credits, t.base_currency) AS base_credits
    FROM backroom.ledger_account_total t
    LEFT JOIN backroom.ledger_account a ON a.tenant = t.tenant AND a.code = t.account;

GRANT SELECT ON bi.book, bi.hold TO backroom_bi;
