"""The columns of an entry, as the views and the sealed segments both have them."""

from __future__ import annotations

import json
from typing import Final

from penstock.journal.entry import MAX_LINE
from penstock.journal.segment import NAME

_MATCH: Final = {"rule": "VARCHAR", "kind": "VARCHAR", "where": "VARCHAR", "action": "VARCHAR", "mode": "VARCHAR"}

# What is read of an entry's body, with its type as `from_json` takes it.
BODY: Final[dict[str, object]] = {
    "session": "VARCHAR",
    "caller": {"issuer": "VARCHAR", "subject": "VARCHAR", "groups": ["VARCHAR"], "via": "VARCHAR", "client": "VARCHAR"},
    "address": "VARCHAR",
    "upstream": "VARCHAR",
    "method": "VARCHAR",
    "path": "VARCHAR",
    "api": "VARCHAR",
    "operation": "VARCHAR",
    "model": "VARCHAR",
    "parameters": "JSON",
    "tools": ["VARCHAR"],
    "stream": "BOOLEAN",
    "verdict": "VARCHAR",
    "rule": "VARCHAR",
    "rules": [_MATCH],
    "policy": "VARCHAR",
    "status": "INTEGER",
    "code": "VARCHAR",
    "message": "VARCHAR",
    "masked": "MAP(VARCHAR, BIGINT)",
    "uninspected": ["VARCHAR"],
    "bytes": "BIGINT",
    "digest": "VARCHAR",
    "finish": "VARCHAR",
    "prompt_tokens": "BIGINT",
    "completion_tokens": "BIGINT",
    "ttft_ms": "DOUBLE",
    "duration_ms": "DOUBLE",
    "error": "VARCHAR",
    "complete": "BOOLEAN",
    "streamed": "BOOLEAN",
    "sha256": "VARCHAR",
    "approval": "VARCHAR",
    "ticket": "VARCHAR",
}
_CALLER: Final = {
    "caller": "b.body.caller.issuer || '|' || b.body.caller.subject",
    "groups": "b.body.caller.groups",
    "via": "b.body.caller.via",
    "client": "b.body.caller.client",
}
_ENTRY: Final = {"chain": "VARCHAR", "seq": "BIGINT", "at": "BIGINT", "kind": "VARCHAR", "exchange": "VARCHAR"}

# Column -> the expression that finds it in the columns of a journal line, and in what was parsed of its envelope: `e`
# without the body, which is cheap and which filters need, and `b`, the body.
TYPED: Final[dict[str, str]] = {
    "chain": "e.chain",
    "seq": "e.seq",
    "time": 'make_timestamp(e."at")',
    "kind": "e.kind",
    "exchange": "e.exchange",
    **_CALLER,
    **{name: f'b.body."{name}"' for name in BODY if name != "caller"},
    "text": "coalesce(payload->>'$.prompt', payload->>'$.completion')",
    "hash": "hash",
    "envelope": "envelope",
    "salt": "salt",
    "payload": "payload",
}
_PARSED: Final = ", ".join(
    f"from_json(envelope, '{json.dumps(shape)}') AS {name}" for name, shape in (("e", _ENTRY), ("b", {"body": BODY}))
)
FIELDS: Final = ", ".join(f'"{name}"' for name in TYPED)


def quoted(text: str) -> str:
    """`text` inside single quotes of SQL."""
    return text.replace("'", "''")


def lines(files: str) -> str:
    """A query of the journal lines in `files` (a path or a glob): their raw columns and file name.

    A torn line is a row of NULLs, which is left out; explicit columns and sizes, since sniffing them is neither exact
    nor allowed to fail.
    """
    return f"""SELECT hash, envelope, salt, payload, filename FROM read_json('{quoted(files)}',
        columns = {{hash: 'VARCHAR', envelope: 'VARCHAR', salt: 'VARCHAR', payload: 'JSON'}}, filename = true,
        format = 'newline_delimited', ignore_errors = true, maximum_object_size = {MAX_LINE})
        WHERE envelope IS NOT NULL"""  # noqa: S608 - a path of our own, quoted


def typed(files: str) -> str:
    """A query of the journal lines in `files` with all columns of an entry, and `segment`, the file's own name."""
    columns = ", ".join(f'{expression} AS "{name}"' for name, expression in TYPED.items())
    return f"""SELECT {columns}, segment FROM (
        SELECT {_PARSED}, hash, envelope, salt, payload,
            regexp_extract(filename, '/({NAME})\\.ndjson$', 1) AS segment FROM ({lines(files)}))"""  # noqa: S608 - as above


def differing(segment: str) -> str:
    """A query of the first row of a segment, from 1, where a column is not what the entry says."""
    told = " OR ".join(
        f'"{name}" IS DISTINCT FROM {expression}' for name, expression in TYPED.items() if name != expression
    )
    return f"""SELECT file_row_number + 1 FROM (
        SELECT *, {_PARSED} FROM read_parquet('{quoted(segment)}', hive_partitioning = false, file_row_number = true))
        WHERE {told} ORDER BY 1 LIMIT 1"""  # noqa: S608 - a path of our own, quoted
