"""What the YAML parser complains about, in words that say what to do."""

from __future__ import annotations

from typing import Final

import yaml

from penstock.errors import Problem

_OPEN: Final = ("while parsing a flow sequence", "while parsing a flow mapping")


def complaint(file: str, text: str, error: yaml.MarkedYAMLError) -> Problem:
    """The parser's complaint as a problem of the file; both parsers of PyYAML are understood."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Problem(file, 0, 0, f"not YAML: {error.problem or error.context}")
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    message = _reworded(error.problem or "", line[mark.column : mark.column + 1], line[: mark.column])
    if (error.problem or "").startswith("found unexpected end of stream") and error.context_mark is not None:
        mark = error.context_mark
        message = "a quote that is opened here is never closed"
    elif (error.context or "").startswith(_OPEN) and error.context_mark is not None:
        message += f" (the bracket of line {error.context_mark.line + 1} is still open)"
    return Problem(file, mark.line + 1, mark.column + 1, f"not YAML: {message}")


def _reworded(problem: str, here: str, before: str) -> str:
    if here == "\t" or "tab character" in problem:
        return "a tab where spaces belong: indent with spaces"
    if problem.startswith("found character"):
        return f"a value cannot start with {here!r}: put it in quotes"
    if "alphabetic or numeric character" in problem:
        return f"{before[-1:]!r} cannot stand alone: put it in quotes"
    if problem.startswith("mapping values are not allowed"):
        return "a second ':' in one value: put the value in quotes, or check the indentation"
    if problem.startswith("could not find expected ':'"):
        return "a key without ': ' after it"
    if problem.startswith(("did not find expected key", "expected <block end>", "did not find expected '-'")):
        return "the indentation does not fit the lines above"
    return problem
