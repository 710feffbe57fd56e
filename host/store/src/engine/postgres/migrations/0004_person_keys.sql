-- The keys of persons; without rights for anybody but the owner. Keep this table out of dumps that are kept
-- (pg_dump --exclude-table-data=backroom.person_key), or erasing a person does not reach them; with a master key
-- on the hosts, what stands here opens nothing by itself.
CREATE TABLE backroom.person_key (
    tenant bigint NOT NULL,
    person text COLLATE "C" NOT NULL,
    -- 32 bytes, or 72 wrapped with the master key; null once it was destroyed.
    key bytea,
    PRIMARY KEY (tenant, person)
);
REVOKE ALL ON backroom.person_key FROM PUBLIC, backroom_reader, backroom_bi;
-- Destroyed keys leave the table's pages soon.
ALTER TABLE backroom.person_key SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1);
ALTER TABLE backroom.person_key ENABLE ROW LEVEL SECURITY;
