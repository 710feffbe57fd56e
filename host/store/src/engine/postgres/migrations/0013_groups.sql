-- A group of entries in two calls, behind its records: heads, then revisions and log.

-- Moves these chains to their new heads, in order, and goes on only if each was at the head that the new entries follow. It
-- waits for whoever has moved one of them and is not done: the group before this one may still be committing. So the rows
-- are locked by one statement and looked at by the next, which sees them as they are by then.
CREATE FUNCTION backroom.advance(
    tenants bigint[], numbers bigint[], hashes bytea[], new_numbers bigint[], new_hashes bytea[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    locked bigint;
    done bigint[];
    moved text;
BEGIN
    SELECT count(*) INTO locked FROM (
        SELECT FROM backroom.chain_head WHERE tenant = ANY (tenants) ORDER BY tenant FOR UPDATE) AS l;
    IF locked < cardinality(tenants) THEN
        -- A chain begins here, or in a transaction that is not done, which this waits for.
        INSERT INTO backroom.chain_head (tenant, number, hash)
            SELECT t, 0, decode(repeat('00', 32), 'hex') FROM unnest(tenants) AS t ORDER BY t ON CONFLICT DO NOTHING;
    END IF;
    WITH h AS (
        UPDATE backroom.chain_head h SET number = e.new_number, hash = e.new_hash
        FROM unnest(tenants, numbers, hashes, new_numbers, new_hashes) AS e(tenant, number, hash, new_number, new_hash)
        WHERE h.tenant = e.tenant AND h.number = e.number AND h.hash = e.hash RETURNING h.tenant
    ) SELECT coalesce(array_agg(h.tenant), '{}') INTO done FROM h;
    IF cardinality(done) < cardinality(tenants) THEN
        SELECT string_agg(t::text, ',') INTO moved FROM unnest(tenants) AS t WHERE t <> ALL (done);
        RAISE EXCEPTION USING ERRCODE = 'BR001', MESSAGE = 'another host has committed', DETAIL = moved;
    END IF;
END
$$;

-- Revisions, log and index. From its first line on other hosts wait for the end of this transaction. Answers with the revision
-- before the first entry. Other hosts hear of it, and those who wait for queued runs if there is one.
CREATE FUNCTION backroom.append(
    tenants bigint[], numbers bigint[], prevs bytea[], hashes bytea[], payloads bytea[], stride bigint,
    host text, notice text, queued boolean) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
BEGIN
    UPDATE backroom.log_end SET revision = revision + cardinality(tenants)
        RETURNING revision - cardinality(tenants) INTO before;
    INSERT INTO backroom.commit_log (revision, tenant, number, prev, hash, payload)
        SELECT before + e.n, e.tenant, e.number, e.prev, e.hash, e.payload
        FROM unnest(tenants, numbers, prevs, hashes, payloads) WITH ORDINALITY AS e(tenant, number, prev, hash, payload, n);
    WITH indexing AS (
        SELECT h.tenant, min(e.number) AS number, min(before + e.n) AS revision
        FROM unnest(tenants, numbers) WITH ORDINALITY AS e(tenant, number, n) JOIN backroom.chain_head h ON h.tenant = e.tenant
        WHERE h.indexed = 0 OR before + e.n - h.indexed >= stride GROUP BY h.tenant
    ), indexed AS (
        INSERT INTO backroom.chain_index (tenant, number, revision) SELECT tenant, number, revision FROM indexing
    )
    UPDATE backroom.chain_head h SET indexed = i.revision FROM indexing i WHERE h.tenant = i.tenant;
    PERFORM pg_notify('backroom', host || ' ' || before + cardinality(tenants) || ' ' || notice);
    IF queued THEN
        PERFORM pg_notify('backroom_queue', host);
    END IF;
    RETURN before;
END
$$;
