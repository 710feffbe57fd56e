-- Views for people and their tools: plain SQL, one schema, one role that may read it and nothing else.
--
-- They run with the rights of their owner, so the role needs none on the tables beneath. Bank accounts and salaries are in
-- no view, nor in any column. Amounts are shown in the currency's own units; `minor` is the exact count of minor units.

CREATE SCHEMA bi;

CREATE FUNCTION bi.exponent(currency text) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND',
            'VUV', 'XAF', 'XOF', 'XPF') THEN 0
        WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
        WHEN currency IN ('CLF', 'UYW') THEN 4
        ELSE 2 END
$$;

CREATE FUNCTION bi.amount(minor numeric, currency text) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT round(minor * power(10::numeric, -bi.exponent(currency)), bi.exponent(currency))
$$;

CREATE VIEW bi.tenant AS
    SELECT number AS tenant, id AS tenant_id, name, created_at FROM backroom.tenant;

CREATE VIEW bi.account AS
    SELECT tenant, code, name, type, parent, currency, posting, stock_control, recorded_at FROM backroom.ledger_account;

CREATE VIEW bi.journal_entry AS
    SELECT tenant, number, id, date, description, run, recorded_at FROM backroom.ledger_entry;

CREATE VIEW bi.journal_line AS
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
        e.run, e.recorded_at
    FROM line l JOIN backroom.ledger_entry e ON e.tenant = l.tenant AND e.id = l.id;

CREATE VIEW bi.balance AS
    SELECT t.tenant, t.account, a.name, a.type, t.currency,
        bi.amount(t.debits, t.currency) AS debits, bi.amount(t.credits, t.currency) AS credits,
        bi.amount(t.debits - t.credits, t.currency) AS balance
    FROM backroom.ledger_account_total t
    LEFT JOIN backroom.ledger_account a ON a.tenant = t.tenant AND a.code = t.account;

CREATE VIEW bi.balance_by_day AS
    SELECT d.tenant, d.account, d.date, a.currency,
        bi.amount(d.debits, a.currency) AS debits, bi.amount(d.credits, a.currency) AS credits
    FROM backroom.ledger_account_day d JOIN backroom.ledger_account a ON a.tenant = d.tenant AND a.code = d.account;

CREATE VIEW bi.worker AS
    SELECT tenant, id, name, email, recorded_at FROM backroom.hr_worker;

CREATE VIEW bi.employment AS
    SELECT tenant, worker, first_day, last_day, position, place, cost_center, recorded_at FROM backroom.hr_employment;

CREATE VIEW bi.item AS
    SELECT tenant, id, name, unit, decimals, tracking, stock_account, currency, recorded_at FROM backroom.inventory_item;

CREATE VIEW bi.stock_move AS
    SELECT tenant, number, id, date, item, quantity, from_location, to_location, lot, minor AS value_minor, currency,
        bi.amount(minor, currency) AS value, stock_account, worker, reason, entry, run, recorded_at
    FROM backroom.inventory_move;

CREATE VIEW bi.on_hand AS
    SELECT tenant, item, location, lot,
        round((entered_units - left_units) * power(10::numeric, -decimals), decimals::int) AS quantity
    FROM backroom.inventory_on_hand;

CREATE VIEW bi.stock_value AS
    SELECT tenant, item, stock_account, quantity, minor AS value_minor, currency, bi.amount(minor, currency) AS value
    FROM backroom.inventory_valuation;

CREATE VIEW bi.run AS
    SELECT tenant, number, id, installation, status, at FROM backroom.run;

GRANT USAGE ON SCHEMA bi TO backroom_bi;
GRANT SELECT ON ALL TABLES IN SCHEMA bi TO backroom_bi;
