"""Reads the audit for people: any question in SQL, in a sandbox that sees the audit's files and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import duckdb

from penstock.errors import StoreError
from penstock.store.columns import quoted
from penstock.store.layout import Layout, layout
from penstock.store.views import connect, write_empty

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question gave; the rows can be read once."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    """As DuckDB names them: VARCHAR, JSON, TIMESTAMP (which is UTC), ..."""
    rows: Iterator[tuple[Any, ...]]


class Audit:
    """The audit of a data directory, wherever it is now and whether or not a gateway writes to it.

    The views are made afresh, in memory: audit.duckdb names the directory where it was made, a copy may be elsewhere.
    """

    def __init__(self, data: Path) -> None:
        """Raises: ConfigurationError, StoreError when there is no audit to be read."""
        self.layout: Layout = layout(data)
        self.layout.check()
        if not self.layout.journal.is_dir():
            raise StoreError(f"there is no audit in {data}", advice="name the gateway's data directory with --data")
        self._con = connect()
        try:
            self._open()
        except (duckdb.Error, OSError) as error:
            self._con.close()
            raise StoreError(f"the audit in {data} cannot be read: {_one_line(error)}") from None

    def _open(self) -> None:
        if not self.layout.empty_segment.is_file():
            write_empty(self._con, self.layout)
        self._con.execute(self.layout.sql)
        places = ", ".join(f"'{quoted(str(path))}'" for path in (self.layout.journal, self.layout.segments))
        self._con.execute(f"SET allowed_directories = [{places}]")
        self._con.execute("SET enable_external_access = false")
        self._con.execute("SET lock_configuration = true")

    def ask(self, sql: str, parameters: Sequence[object] = ()) -> Answer:
        """The answer to one question; several answers may be read side by side.

        Raises: StoreError, in one line, for anything that is not a question too.
        """
        try:
            found = self._con.cursor().execute(self._question(sql, parameters), parameters)
            columns = found.description
        except duckdb.Error as error:
            raise StoreError(_one_line(error)) from None
        return Answer(
            tuple(str(column[0]) for column in columns), tuple(str(column[1]) for column in columns), _rows(found)
        )

    def _question(self, sql: str, parameters: Sequence[object]) -> str:
        """The one statement in `sql`, which only reads."""
        statements = self._con.extract_statements(sql)
        if len(statements) != 1:
            raise StoreError(f"one question at a time: this is {len(statements) or 'none'}")
        if statements[0].type != duckdb.StatementType.SELECT:
            raise StoreError("the audit is only read: SELECT, FROM, WITH, VALUES, DESCRIBE, SHOW and SUMMARIZE")
        question = _bare(statements[0].query)
        if "copy" in question.lower():
            # Since DuckDB 2.0 a SELECT may write, by `WITH x AS (COPY ... TO ...)`, but at the top level alone.
            self._con.execute(f"EXPLAIN SELECT * FROM (\n{question}\n)", parameters).fetchall()  # noqa: S608
        return question

    def close(self) -> None:
        self._con.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _rows(found: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    try:
        while batch := found.fetchmany(_BATCH):
            yield from batch
    except duckdb.Error as error:
        raise StoreError(_one_line(error)) from None


def _bare(statement: str) -> str:
    """A statement without the semicolons, and the comments, that end it."""
    text = statement.encode()  # DuckDB counts bytes
    for at, kind in reversed(duckdb.tokenize(statement)):
        if kind != duckdb.token_type.comment and text[at : at + 1] != b";":
            break
        text = text[:at]
    return text.decode()


def _one_line(error: Exception) -> str:
    """What DuckDB says, without the drawing of where."""
    text = str(error).split("\n\nLINE ")[0]
    return " ".join(text.split())
