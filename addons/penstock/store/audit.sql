-- What is in audit.duckdb: views and macros over the journal and its sealed segments, and no data of its own.
-- Words between at signs are put in by layout.py: absolute paths, and what columns.py says. Times are UTC.

-- Every entry once, from the sealed segments or, until those are 5 s old, from the journal. Both branches see the same
-- cut: the time of sealing is in the Parquet file's name, and now() is one instant for the whole query.
CREATE OR REPLACE VIEW entries AS
WITH sealed AS (
    SELECT regexp_extract(file, '/(@name@)\.\d+\.parquet$', 1) AS segment
    FROM glob('@segments@/**/*.parquet')
    WHERE TRY_CAST(regexp_extract(file, '/@name@\.(\d+)\.parquet$', 1) AS BIGINT) <= epoch_us(now()) - @settle@
)
SELECT @fields@
FROM read_parquet('@segments@/**/*.parquet', filename = true, hive_partitioning = false)
WHERE TRY_CAST(regexp_extract(filename, '/@name@\.(\d+)\.parquet$', 1) AS BIGINT) <= epoch_us(now()) - @settle@
UNION ALL
SELECT @fields@
FROM (@typed@)
WHERE segment != '' AND segment NOT IN (SELECT segment FROM sealed);

-- One row a boot of a worker; the latest one of each may be running.
CREATE OR REPLACE VIEW boots AS
SELECT boot.worker AS worker, boot.chain AS chain, boot.chain = max(boot.chain) OVER (PARTITION BY boot.worker) AS latest
FROM (
    SELECT DISTINCT regexp_extract(file, '/([a-z0-9]+)-([0-9A-Z]{26})-\d+\.[^/]+$', ['worker', 'chain']) AS boot
    FROM (SELECT file FROM glob('@journal@/*.ndjson') UNION ALL SELECT file FROM glob('@segments@/**/*.parquet'))
)
WHERE boot.chain != '';

-- One row an entry.
CREATE OR REPLACE VIEW events AS
SELECT "time", kind, exchange, chain, seq, (envelope->'$.body')::JSON AS body, payload::JSON AS payload, hash
FROM entries;

-- One row a call. The numbers are gathered in one pass; the texts are looked up only when they are asked for.
CREATE OR REPLACE VIEW exchanges AS
WITH
calls AS (
    SELECT
        exchange AS id,
        any_value(session) AS session,
        min("time") FILTER (kind = 'request') AS started,
        max("time") FILTER (kind IN ('response', 'abort')) AS ended,
        max("time") FILTER (verdict = 'deny') AS denied,
        any_value(caller) AS caller,
        any_value(groups) AS groups,
        any_value(via) AS via,
        any_value(client) AS client,
        any_value(address) AS address,
        any_value(upstream) AS upstream,
        any_value(method) AS method,
        any_value("path") FILTER (kind = 'request') AS "path",
        any_value(api) AS api,
        any_value(operation) AS operation,
        any_value(model) AS model,
        any_value(parameters) AS parameters,
        any_value(tools) AS tools,
        any_value(stream) AS stream,
        any_value(verdict) FILTER (kind = 'request') AS first_verdict,
        arg_max(verdict, "time") FILTER (kind = 'verdict') AS last_verdict,
        any_value(rule) FILTER (kind = 'request') AS first_rule,
        arg_max(nullif(rule, ''), "time") FILTER (kind = 'verdict') AS last_rule,
        any_value(rules) FILTER (kind = 'request') AS request_rules,
        any_value(rules) FILTER (kind IN ('response', 'abort')) AS reply_rules,
        any_value(policy) FILTER (kind = 'request') AS policy,
        any_value(status) FILTER (kind IN ('response', 'abort')) AS reply_status,
        arg_max(status, "time") FILTER (kind IN ('request', 'verdict')) AS denied_status,
        arg_max(code, "time") FILTER (kind IN ('request', 'verdict')) AS code,
        arg_max(message, "time") FILTER (kind IN ('request', 'verdict')) AS message,
        any_value(message) FILTER (kind = 'abort') AS broken,
        any_value(finish) AS finish,
        any_value(prompt_tokens) AS prompt_tokens,
        any_value(completion_tokens) AS completion_tokens,
        any_value(ttft_ms) AS ttft_ms,
        any_value(duration_ms) AS duration_ms,
        any_value(masked) FILTER (kind = 'request') AS masked_in,
        any_value(masked) FILTER (kind IN ('response', 'abort')) AS masked_out,
        any_value(coalesce(ticket, approval)) FILTER (kind IN ('approval', 'verdict')) AS approval,
        any_value(error) AS error,
        any_value(complete) AS complete,
        any_value(streamed) AS streamed,
        any_value(uninspected) FILTER (kind = 'request') AS unread_in,
        any_value(uninspected) FILTER (kind IN ('response', 'abort')) AS unread_out,
        any_value(bytes) FILTER (kind = 'request') AS request_bytes,
        coalesce(any_value(bytes) FILTER (kind IN ('response', 'abort')), sum(bytes) FILTER (kind = 'chunk'))::BIGINT
            AS reply_bytes,
        any_value(digest) FILTER (kind = 'request') AS digest,
        any_value(sha256) AS sha256,
        bool_or(kind = 'response') AS answered,
        bool_or(kind = 'abort') AS aborted,
        arg_min(chain, "time") AS chain,
        min(seq) FILTER (kind = 'request') AS asked_in,
        max(seq) FILTER (kind IN ('response', 'abort')) AS answered_in
    FROM entries
    WHERE exchange IS NOT NULL
    GROUP BY exchange
    HAVING bool_or(kind = 'request')
),
asked AS (SELECT exchange, seq, "text" FROM entries WHERE kind = 'request'),
told AS (SELECT exchange, seq, "text" FROM entries WHERE kind IN ('response', 'abort'))
SELECT
    calls.id,
    session,
    started,
    coalesce(ended, denied) AS ended,
    caller,
    groups,
    upstream,
    api,
    operation,
    model,
    parameters,
    coalesce(last_verdict, first_verdict) AS verdict,
    CASE
        WHEN aborted THEN 'aborted'
        WHEN answered THEN 'answered'
        WHEN coalesce(last_verdict, first_verdict) = 'deny' THEN 'refused'
        WHEN chain NOT IN (SELECT boots.chain FROM boots WHERE latest) THEN 'lost'
        WHEN coalesce(last_verdict, first_verdict) = 'hold' THEN 'waiting'
        ELSE 'open'
    END AS outcome,
    coalesce(last_rule, first_rule) AS rule,
    list_concat(coalesce(request_rules, []), coalesce(reply_rules, [])) AS rules,
    policy,
    coalesce(reply_status, denied_status) AS status,
    code,
    message,
    asked."text" AS prompt,
    told."text" AS completion,
    finish,
    prompt_tokens,
    completion_tokens,
    ttft_ms,
    duration_ms,
    CASE
        WHEN coalesce(cardinality(masked_out), 0) = 0 THEN coalesce(masked_in, MAP {})
        WHEN coalesce(cardinality(masked_in), 0) = 0 THEN masked_out
        ELSE map_from_entries(list_transform(
            list_distinct(list_concat(map_keys(masked_in), map_keys(masked_out))),
            lambda name: {
                'key': name,
                'value': coalesce(map_extract(masked_in, name)[1], 0) + coalesce(map_extract(masked_out, name)[1], 0)
            }
        ))
    END AS masked,
    approval,
    coalesce(error, broken) AS error,
    address,
    via,
    client,
    method,
    "path",
    stream,
    tools,
    list_concat(coalesce(unread_in, []), coalesce(unread_out, [])) AS uninspected,
    complete,
    streamed,
    request_bytes,
    reply_bytes,
    digest,
    sha256
FROM calls
LEFT JOIN asked ON asked.exchange = calls.id AND asked.seq = calls.asked_in
LEFT JOIN told ON told.exchange = calls.id AND told.seq = calls.answered_in;

-- One row a session of a caller.
CREATE OR REPLACE VIEW sessions AS
SELECT
    session,
    min(started) AS started,
    max(coalesce(ended, started)) AS ended,
    any_value(caller) AS caller,
    any_value(address) AS address,
    count(*) AS exchanges,
    count(*) FILTER (verdict = 'deny') AS denied,
    count(*) FILTER (approval IS NOT NULL) AS held,
    list(DISTINCT model) FILTER (model IS NOT NULL) AS models,
    sum(prompt_tokens)::BIGINT AS prompt_tokens,
    sum(completion_tokens)::BIGINT AS completion_tokens
FROM exchanges
WHERE session IS NOT NULL
GROUP BY session;

-- One row a rule that matched, observe-only ones too.
CREATE OR REPLACE VIEW decisions AS
SELECT exchange, "time", part, caller, model, match.rule AS rule, match.kind AS kind, match."where" AS "where",
    match.action AS action, match.mode AS mode, policy
FROM (
    SELECT e.exchange, e."time", e.kind AS part, r.caller, r.model, unnest(e.rules) AS match, r.policy
    FROM (SELECT exchange, "time", kind, rules FROM entries WHERE kind IN ('request', 'verdict', 'response', 'abort')) e
    LEFT JOIN (SELECT exchange, caller, model, policy FROM entries WHERE kind = 'request') r USING (exchange)
);

-- One row a ticket, with where it stands. A restart denies: a ticket that was pending then is lost.
CREATE OR REPLACE VIEW approvals AS
SELECT
    ticket, approval, rule, opened,
    CASE
        WHEN event NOT IN ('opened', 'approved') THEN event
        WHEN event = 'approved' AND (count >= needed OR break_glass) THEN event
        WHEN chain NOT IN (SELECT boots.chain FROM boots WHERE latest) THEN 'lost'
        ELSE 'pending'
    END AS state,
    changed, exchanges, approved_by, denied_by, reason, needed, count, break_glass, expires, digest
FROM (
    SELECT
        ticket,
        any_value(approval) AS approval,
        any_value(rule) AS rule,
        min("time") FILTER (event = 'opened') AS opened,
        arg_max(event, "time") FILTER (event != 'joined') AS event,
        max("time") AS changed,
        list(DISTINCT exchange) FILTER (exchange IS NOT NULL) AS exchanges,
        list(DISTINCT person) FILTER (event = 'approved' AND person IS NOT NULL) AS approved_by,
        list(DISTINCT person) FILTER (event = 'denied' AND person IS NOT NULL) AS denied_by,
        arg_max(nullif(reason, ''), "time") AS reason,
        max(needed) AS needed,
        arg_max(count, "time") AS count,
        coalesce(bool_or(break_glass), false) AS break_glass,
        make_timestamp((max(expires) * 1000000)::BIGINT) AS expires,
        any_value(digest) AS digest,
        any_value(chain) AS chain
    FROM (
        SELECT chain, "time", exchange, ticket, body.approval AS approval, rule, body.event AS event,
            body.reason AS reason, body.needed AS needed, body.count AS count, body.expires AS expires, digest,
            body.break_glass AS break_glass, body."by".issuer || '|' || body."by".subject AS person
        FROM (
            SELECT chain, "time", exchange, ticket, rule, digest, from_json(envelope->'$.body', '{
                "approval": "VARCHAR", "event": "VARCHAR", "reason": "VARCHAR", "needed": "INTEGER",
                "count": "INTEGER", "expires": "DOUBLE", "break_glass": "BOOLEAN",
                "by": {"issuer": "VARCHAR", "subject": "VARCHAR"}}') AS body
            FROM entries WHERE kind = 'approval'
        )
    )
    WHERE ticket IS NOT NULL
    GROUP BY ticket
);

-- One row each time a policy was loaded or refused.
CREATE OR REPLACE VIEW policies AS
SELECT "time", body.hash AS hash, body.event AS event, body."path" AS "path", body.rules AS rules,
    body.problems AS problems, chain
FROM (
    SELECT "time", chain, from_json(envelope->'$.body', '{"hash": "VARCHAR", "event": "VARCHAR", "path": "VARCHAR",
        "rules": "BIGINT", "problems": ["VARCHAR"]}') AS body
    FROM entries WHERE kind = 'policy'
);

-- ago('1 hour'): that long before now, to compare times with. A date or a time stands for itself.
CREATE OR REPLACE MACRO ago(since) AS coalesce(
    TRY_CAST(since::VARCHAR AS TIMESTAMP),
    (now() AT TIME ZONE 'UTC') - TRY_CAST(since::VARCHAR AS INTERVAL)
);

-- What happened in an exchange or a session, in order, with what people decided about it.
CREATE OR REPLACE MACRO replay(exchange_or_session) AS TABLE
WITH
ids AS (
    SELECT exchange_or_session::VARCHAR AS id
    UNION ALL
    SELECT exchange FROM entries WHERE kind = 'request' AND session = exchange_or_session::VARCHAR
),
tickets AS (SELECT ticket FROM entries WHERE kind = 'approval' AND exchange IN (SELECT id FROM ids))
SELECT
    "time",
    round(epoch_ms("time" - min("time") OVER ()), 0)::BIGINT AS after_ms,
    exchange,
    kind,
    concat_ws(' ',
        CASE kind
            WHEN 'request' THEN concat_ws(' ', verdict, 'by ' || nullif(rule, ''), 'for ' || caller, 'on ' || model)
            WHEN 'verdict' THEN concat_ws(' ', verdict, 'by ' || nullif(rule, ''), message)
            WHEN 'approval' THEN concat_ws(' ', envelope->>'$.body.event', 'ticket ' || ticket,
                'by ' || (envelope->>'$.body.by.subject'), envelope->>'$.body.reason')
            WHEN 'chunk' THEN bytes || ' bytes'
            WHEN 'response' THEN concat_ws(' ', status, finish, completion_tokens || ' tokens', duration_ms || ' ms')
            WHEN 'abort' THEN concat_ws(' ', status, envelope->>'$.body.reason', message)
        END
    ) AS what,
    coalesce("text", CASE WHEN kind = 'chunk' THEN payload->>'$.body' END) AS "text"
FROM entries
WHERE exchange IN (SELECT id FROM ids) OR (kind = 'approval' AND ticket IN (SELECT ticket FROM tickets))
ORDER BY "time", seq;

-- What a caller did: its whole id (`corp|alice@example.com`) or its name alone.
CREATE OR REPLACE MACRO timeline(who) AS TABLE
SELECT started, ended, id, model, operation, verdict, outcome, rule, status, completion_tokens, duration_ms, prompt
FROM exchanges
WHERE caller = who OR split_part(caller, '|', 2) = who
ORDER BY started;

-- What was denied since a time, or for so long: blocked('1 hour'), blocked('2026-01-31').
CREATE OR REPLACE MACRO blocked(since := '1 day') AS TABLE
SELECT started, id, caller, model, rule, code, message, status, prompt
FROM exchanges
WHERE verdict = 'deny' AND started >= ago(since)
ORDER BY started DESC;

-- Who uses most, since a time or for so long.
CREATE OR REPLACE MACRO busiest(since := '1 day') AS TABLE
SELECT
    caller,
    count(*) AS exchanges,
    count(*) FILTER (verdict = 'deny') AS denied,
    sum(prompt_tokens)::BIGINT AS prompt_tokens,
    sum(completion_tokens)::BIGINT AS completion_tokens,
    round(avg(duration_ms), 1) AS average_ms,
    list(DISTINCT model) FILTER (model IS NOT NULL) AS models,
    max(started) AS latest
FROM exchanges
WHERE started >= ago(since)
GROUP BY caller
ORDER BY exchanges DESC;
