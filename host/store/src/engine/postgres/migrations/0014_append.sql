-- Gives entries their revisions, and writes log and index: what the last statement of a transaction did. As a function it can be
-- part of the one that writes the records. Hosts of releases that do it in steps may go on beside it.
--
-- An entry in every `stride` revisions, and the first of a chain, gets a row of the index. Answers with the revision before the
-- first entry. The end of the log is locked from here to the commit.
CREATE FUNCTION backroom.append(tenants bigint[], numbers bigint[], prevs bytea[], hashes bytea[], payloads bytea[],
    stride bigint, host text, notice text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    entries bigint := cardinality(tenants);
    base bigint;
BEGIN
    UPDATE backroom.log_end SET revision = revision + entries RETURNING revision - entries INTO STRICT base;
    WITH logged AS (
        INSERT INTO backroom.commit_log AS l (revision, tenant, number, prev, hash, payload)
        SELECT base + e.n, e.tenant, e.number, e.prev, e.hash, e.payload
        FROM unnest(tenants, numbers, prevs, hashes, payloads)
            WITH ORDINALITY AS e(tenant, number, prev, hash, payload, n)
        RETURNING l.tenant, l.number, l.revision
    ), indexing AS (
        SELECT e.tenant, min(e.number) AS number, min(e.revision) AS revision
        FROM logged e JOIN backroom.chain_head h ON h.tenant = e.tenant
        WHERE h.indexed = 0 OR e.revision - h.indexed >= stride GROUP BY e.tenant
    ), indexed AS (
        INSERT INTO backroom.chain_index (tenant, number, revision) SELECT i.tenant, i.number, i.revision FROM indexing i
    )
    UPDATE backroom.chain_head h SET indexed = i.revision FROM indexing i WHERE h.tenant = i.tenant;
    PERFORM pg_notify('backroom', host || ' ' || (base + entries)::text || ' ' || notice);
    RETURN base;
END
$$;
