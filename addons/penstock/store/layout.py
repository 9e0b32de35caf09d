"""Where everything is in the data directory, and which version of that it is."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import orjson

from penstock.errors import ConfigurationError
from penstock.journal.segment import NAME, replace
from penstock.store.columns import FIELDS, quoted, typed

VERSION: Final = 1
_GLOB: Final = frozenset("*?[]{}")
_SQL: Final = Path(__file__).with_name("audit.sql")


@dataclass(frozen=True)
class Layout:
    """The parts of a data directory; `data` is absolute."""

    data: Path
    settle: float = 5.0
    """Seconds from the time in a sealed file's name until readers take its rows from there and not from the journal."""

    @property
    def journal(self) -> Path:
        return self.data / "journal"

    @property
    def segments(self) -> Path:
        return self.data / "segments"

    @property
    def database(self) -> Path:
        return self.data / "audit.duckdb"

    @property
    def stamp(self) -> Path:
        return self.data / "layout.json"

    @property
    def empty_segment(self) -> Path:
        """There is always a Parquet file, so that the views' glob finds one."""
        return self.segments / "day=1970-01-01" / "empty.0.parquet"

    @cached_property
    def sql(self) -> str:
        """The statements that make the views and macros, with this directory's paths in them."""
        text = _SQL.read_text(encoding="utf-8")
        places = {
            "@journal@": quoted(str(self.journal)),
            "@segments@": quoted(str(self.segments)),
            "@name@": NAME,
            "@settle@": str(int(self.settle * 1_000_000)),
            "@fields@": FIELDS,
            "@typed@": typed(f"{self.journal}/*.ndjson"),
        }
        for name, value in places.items():
            text = text.replace(name, value)
        return text

    @property
    def views(self) -> str:
        """Names the views that this version makes for this directory."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def current(self) -> bool:
        """Whether audit.duckdb has the views of this version, for where the directory is now."""
        return self.database.is_file() and self.empty_segment.is_file() and self._stamped().get("views") == self.views

    def write_stamp(self, views: str) -> None:
        """Says which version laid this out, and which views audit.duckdb has. Raises: OSError."""
        replace(self.stamp, orjson.dumps({"layout": VERSION, "views": views}) + b"\n")

    def prepare(self) -> None:
        """Makes the directories. Raises: ConfigurationError when they cannot be, or another version made them."""
        self.check()
        try:
            if not self.data.exists():
                self.data.mkdir(mode=0o700, parents=True)
            for directory in (self.journal, self.segments):
                directory.mkdir(mode=0o750, exist_ok=True)
            (self.journal / "empty.ndjson").touch(mode=0o640)
            self.write_stamp(str(self._stamped().get("views", "")))
        except OSError as error:
            raise ConfigurationError(
                f"{self.data}: the data directory cannot be written: {error.strerror}",
                advice="`data:` names a directory that the gateway may write",
            ) from None

    def check(self) -> None:
        """Raises: ConfigurationError for a directory that this version cannot read."""
        if bad := _GLOB & set(str(self.data)):
            raise ConfigurationError(f"{self.data}: a data directory may not have {' '.join(sorted(bad))} in its name")
        version = self._stamped().get("layout", VERSION)
        if version != VERSION:
            raise ConfigurationError(
                f"{self.data}: is laid out as version {version}, and this Penstock knows version {VERSION}",
                advice="use the Penstock that wrote it, or another data directory",
            )

    def _stamped(self) -> dict[str, object]:
        with contextlib.suppress(OSError, orjson.JSONDecodeError):
            found = orjson.loads(self.stamp.read_bytes())
            if isinstance(found, dict):
                return found
        return {}


def layout(data: Path) -> Layout:
    """The layout at `data`, wherever the process stands."""
    return Layout(data.absolute())
