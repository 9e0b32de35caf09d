"""A journal file says by its name whose it is, and by its mark that it is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.journal.chain import Chain, Head
from penstock.journal.segment import Mark, Segment, head, last, newest, read_mark, segment, segments, write_mark

ONE, TWO = "01K0ABCDEFGHJKMNPQRSTVWXYZ", "01K0ABCDEFGHJKMNPQRSTVWXZ0"


def test_a_name_reads_back() -> None:
    made = Segment("w0", ONE, 12)
    assert segment(str(made)) == made
    assert made.journal(Path("j")).name == f"w0-{ONE}-000012.ndjson"
    assert made.mark(Path("j")).name == f"w0-{ONE}-000012.done"


@pytest.mark.parametrize("name", ["empty", f"0-{ONE}", f"0-{ONE.lower()}-000001", f"A-{ONE}-000001", f"0-{ONE}-1", ""])
def test_another_name_is_not_a_journal_file(name: str) -> None:
    assert segment(name) is None


def test_files_are_listed_as_they_were_written(tmp_path: Path) -> None:
    wanted = [
        Segment("0", ONE, 0),
        Segment("0", ONE, 1),
        Segment("0", ONE, 10),
        Segment("0", TWO, 0),
        Segment("1", ONE, 0),
    ]
    for each in reversed(wanted):
        each.journal(tmp_path).touch()
    (tmp_path / "empty.ndjson").touch()
    assert segments(tmp_path) == wanted
    assert newest(tmp_path, "0") == Segment("0", TWO, 0)
    assert newest(tmp_path, "7") is None


def test_a_mark_reads_back_and_half_a_mark_is_none(tmp_path: Path) -> None:
    mark = Mark(Head(ONE, 7, "a" * 64), 4096)
    path = tmp_path / "x.done"
    write_mark(path, mark)
    assert read_mark(path) == mark
    for broken in (b"", b"{", b"[]", b'{"chain":"x"}', b'{"chain":1,"seq":2,"hash":"","size":3}'):
        path.write_bytes(broken)
        assert read_mark(path) is None
    assert read_mark(tmp_path / "none.done") is None


def test_a_mark_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    mark = Mark(Head(ONE, 7, "a" * 64), 4096)
    with pytest.raises(OSError, match="No such"):
        write_mark(tmp_path / "no" / "x.done", mark)
    (tmp_path / "x.done").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_mark(tmp_path / "x.done", mark)
    assert [path.name for path in tmp_path.iterdir()] == ["x.done"]


@pytest.mark.parametrize("size", [10, 70_000, 300_000])
@pytest.mark.parametrize("torn", [b"", b'{"hash":"torn', b"x" * 200_000, b"not an entry\n"])
def test_the_last_whole_entry_is_found_from_the_end(tmp_path: Path, size: int, torn: bytes) -> None:
    chain = Chain(ONE, random=lambda count: bytes(count))
    raw = [chain.extend(n, "chunk", None, {"n": n}, {"body": "x" * size}) for n in range(3)]
    path = Segment("0", ONE, 0).journal(tmp_path)
    for kept in range(1, 4):
        path.write_bytes(b"".join(raw[:kept]) + torn)
        found = last(path)
        assert found is not None
        assert found.entry.seq == kept - 1
    path.write_bytes(torn)
    assert last(path) is None
    assert head(tmp_path, "0") is None


def test_the_head_is_looked_for_in_older_files_too(tmp_path: Path) -> None:
    chain = Chain(ONE, random=lambda count: bytes(count))
    Segment("0", ONE, 0).journal(tmp_path).write_bytes(chain.extend(0, "start", None, {}))
    Segment("0", ONE, 1).journal(tmp_path).touch()
    Segment("0", TWO, 0).journal(tmp_path).touch()
    Segment("1", TWO, 0).journal(tmp_path).touch()
    assert head(tmp_path, "0") == chain.head
    assert head(tmp_path, "1") is None
    write_mark(Segment("0", ONE, 1).mark(tmp_path), Mark(Head(ONE, 5, "b" * 64), 0))
    assert head(tmp_path, "0") == Head(ONE, 5, "b" * 64)
