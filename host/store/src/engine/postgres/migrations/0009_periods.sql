-- Periods and their locks, exchange rates, budgets.

CREATE TABLE backroom.ledger_book_control (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    book text, locks jsonb, future_days bigint, closed_year bigint, budgets bigint,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_lock_exception (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    book text, id text, scope text, holder text, until timestamptz, reason text, actor text, recorded_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_exception_by_holder (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    book text, scope text, holder text, until timestamptz, exception text,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_exception_use (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    book text, exception text, entry text, date date, actor text, run text, recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_rate (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    book text, date date, from_currency text, to_currency text, type text, rate numeric, actor text,
    recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_budget (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    book text, id text, account text, action text, version bigint, actor text, recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_budget_line (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    book text, budget text, account text, dimension text, value text, first_day date, last_day date, minor bigint,
    currency text, debits numeric, credits numeric,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_year_closing (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    book text, year bigint, id text, last_day date, actor text, recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_opening (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    book text, year bigint, account text, currency text, debits numeric, credits numeric,
    PRIMARY KEY (tenant, key));

CREATE TABLE backroom.ledger_revalued (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    account text, as_of date, id text, rate numeric, side text, minor bigint, currency text, recorded_at timestamptz,
    PRIMARY KEY (tenant, key));

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['ledger_book_control', 'ledger_lock_exception', 'ledger_exception_by_holder',
        'ledger_exception_use', 'ledger_rate', 'ledger_budget', 'ledger_budget_line',
        'ledger_year_closing', 'ledger_opening', 'ledger_revalued'] LOOP
        EXECUTE format('ALTER TABLE backroom.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_tenant ON backroom.%I FOR SELECT TO backroom_reader '
            'USING (tenant = nullif(current_setting(''backroom.tenant'', true), '''')::bigint)', t);
        EXECUTE format('GRANT SELECT ON backroom.%I TO backroom_reader', t);
    END LOOP;
END
$$;
