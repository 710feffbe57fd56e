-- What was posted to an account in a month.

CREATE TABLE backroom.ledger_account_month (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    account text, month date, debits numeric, credits numeric,
    PRIMARY KEY (tenant, key));

ALTER TABLE backroom.ledger_account_month ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON backroom.ledger_account_month FOR SELECT TO backroom_reader
    USING (tenant = nullif(current_setting('backroom.tenant', true), '')::bigint);
GRANT SELECT ON backroom.ledger_account_month TO backroom_reader;
