-- What every run of a tenant is bounded by.

CREATE TABLE backroom.tenant_limits (
    tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL,
    memory bigint, wall_ms bigint, fuel bigint, day_fuel bigint, updated_at timestamptz, actor text,
    PRIMARY KEY (tenant, key));

ALTER TABLE backroom.tenant_limits ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON backroom.tenant_limits FOR SELECT TO backroom_reader
    USING (tenant = nullif(current_setting('backroom.tenant', true), '')::bigint);
GRANT SELECT ON backroom.tenant_limits TO backroom_reader;
