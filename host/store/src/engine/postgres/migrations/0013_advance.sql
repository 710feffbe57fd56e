-- Moves the heads of these chains on and goes on only if each was the one that the new entries follow. What `backroom.claim`
-- and the last statement of a transaction did in two steps; hosts of releases that do it so may go on beside it.
--
-- Rows are locked in the order of the arrays, which is that of the tenants, for the settings of the connection leave loops
-- alone. A chain that begins comes after those that exist, and with `claim` before them: one of two such hosts may be told of a
-- deadlock, and tries again.
CREATE FUNCTION backroom.advance(tenants bigint[], numbers bigint[], hashes bytea[], new_numbers bigint[], new_hashes bytea[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    advanced bigint;
    begun bigint;
    moved text;
BEGIN
    UPDATE backroom.chain_head h SET number = e.new_number, hash = e.new_hash
        FROM unnest(tenants, numbers, hashes, new_numbers, new_hashes) AS e(tenant, number, hash, new_number, new_hash)
        WHERE h.tenant = e.tenant AND h.number = e.number AND h.hash = e.hash;
    GET DIAGNOSTICS advanced = ROW_COUNT;
    IF advanced = cardinality(tenants) THEN
        RETURN;
    END IF;
    -- Chains that begin.
    INSERT INTO backroom.chain_head (tenant, number, hash)
        SELECT e.tenant, e.new_number, e.new_hash
        FROM unnest(tenants, numbers, new_numbers, new_hashes) AS e(tenant, number, new_number, new_hash)
        WHERE e.number = 0 ORDER BY e.tenant ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS begun = ROW_COUNT;
    IF advanced + begun = cardinality(tenants) THEN
        RETURN;
    END IF;
    -- None, if an attempt before this one came through after all, and only its answer was lost: the log will tell.
    SELECT string_agg(e.tenant::text, ',') INTO moved
        FROM unnest(tenants, new_numbers, new_hashes) AS e(tenant, number, hash)
        LEFT JOIN backroom.chain_head h USING (tenant)
        WHERE h.number IS DISTINCT FROM e.number OR h.hash IS DISTINCT FROM e.hash;
    RAISE EXCEPTION USING ERRCODE = 'BR001', MESSAGE = 'another host has committed', DETAIL = coalesce(moved, '');
END
$$;
