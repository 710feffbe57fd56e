-- A plain double-entry ledger: what stands beside in `backroom bench ledger`. Made anew for each measurement.
DROP SCHEMA IF EXISTS bench CASCADE;
CREATE SCHEMA bench;
ALTER ROLE CURRENT_USER SET search_path = bench;
SET search_path = bench;

CREATE TABLE account (
    code text PRIMARY KEY,
    debits bigint NOT NULL DEFAULT 0,
    credits bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
-- Totals of each day, so that a balance of the past is not the sum of all entries.
CREATE TABLE account_day (
    account text NOT NULL REFERENCES account,
    day date NOT NULL,
    debits bigint NOT NULL,
    credits bigint NOT NULL,
    PRIMARY KEY (account, day)
) WITH (fillfactor = 80);
CREATE SEQUENCE entry_number;
CREATE TABLE entry (
    id text PRIMARY KEY,
    number bigint NOT NULL DEFAULT nextval('entry_number') UNIQUE,
    day date NOT NULL,
    description text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE line (
    entry text NOT NULL REFERENCES entry,
    line smallint NOT NULL,
    account text NOT NULL REFERENCES account,
    debit boolean NOT NULL,
    minor bigint NOT NULL CHECK (minor > 0),
    PRIMARY KEY (entry, line)
);

-- Posts one entry of two lines; accounts are locked in the order of their codes.
CREATE FUNCTION post_entry(new_id text, new_day text, debit text, credit text, minor bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
    on_day date := new_day::date;
BEGIN
    INSERT INTO entry (id, day, description) VALUES (new_id, on_day, 'A posting') RETURNING number INTO made;
    INSERT INTO line VALUES (new_id, 1, debit, true, minor), (new_id, 2, credit, false, minor);
    PERFORM 1 FROM account WHERE code IN (debit, credit) ORDER BY code FOR NO KEY UPDATE;
    UPDATE account SET debits = debits + minor WHERE code = debit;
    UPDATE account SET credits = credits + minor WHERE code = credit;
    INSERT INTO account_day AS d VALUES (debit, on_day, minor, 0), (credit, on_day, 0, minor)
        ON CONFLICT (account, day) DO UPDATE SET debits = d.debits + excluded.debits, credits = d.credits + excluded.credits;
    RETURN made;
END
$$;

-- A batch, one entry after the other. Callers take turns from the first entry on, or they would wait for each other in circles.
CREATE FUNCTION post_each(ids text[], days text[], debits text[], credits text[], minors bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1);
    FOR i IN 1 .. cardinality(ids) LOOP
        PERFORM post_entry(ids[i], days[i], debits[i], credits[i], minors[i]);
    END LOOP;
END
$$;

-- A batch as a whole: each table is written by one statement.
CREATE FUNCTION post_set(ids text[], days text[], debits text[], credits text[], minors bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1);
    INSERT INTO entry (id, day, description) SELECT id, day::date, 'A posting' FROM unnest(ids, days) AS u (id, day);
    INSERT INTO line
        SELECT id, 1, account, true, minor FROM unnest(ids, debits, minors) AS u (id, account, minor)
        UNION ALL
        SELECT id, 2, account, false, minor FROM unnest(ids, credits, minors) AS u (id, account, minor);
    WITH sums AS (
        SELECT account, sum(debit)::bigint AS debit, sum(credit)::bigint AS credit FROM (
            SELECT account, minor AS debit, 0 AS credit FROM unnest(debits, minors) AS u (account, minor)
            UNION ALL
            SELECT account, 0, minor FROM unnest(credits, minors) AS u (account, minor)
        ) AS each GROUP BY account
    )
    UPDATE account AS a SET debits = a.debits + sums.debit, credits = a.credits + sums.credit FROM sums WHERE a.code = sums.account;
    INSERT INTO account_day AS d
        SELECT account, day::date, sum(debit)::bigint, sum(credit)::bigint FROM (
            SELECT account, day, minor AS debit, 0 AS credit FROM unnest(debits, days, minors) AS u (account, day, minor)
            UNION ALL
            SELECT account, day, 0, minor FROM unnest(credits, days, minors) AS u (account, day, minor)
        ) AS each GROUP BY account, day
        ON CONFLICT (account, day) DO UPDATE SET debits = d.debits + excluded.debits, credits = d.credits + excluded.credits;
END
$$;

CREATE FUNCTION balance_at(whose text, up_to text, OUT debits bigint, OUT credits bigint)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(d.debits), 0)::bigint, coalesce(sum(d.credits), 0)::bigint
    FROM account_day AS d WHERE d.account = whose AND d.day <= up_to::date
$$;
