-- What installations did on a day, added up, where their rights have a ceiling for it.

CREATE TABLE backroom.day_total (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    installation text, day date, what text, sum numeric,
    PRIMARY KEY (tenant, key));

ALTER TABLE backroom.day_total ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON backroom.day_total FOR SELECT TO backroom_reader
    USING (tenant = nullif(current_setting('backroom.tenant', true), '')::bigint);
GRANT SELECT ON backroom.day_total TO backroom_reader;
