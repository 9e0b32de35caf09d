"""Ordinary texts in which there is nothing to find: what comes with Python and the installed packages.

Prose is documentation: README and licence texts, the descriptions of packages, docstrings. Code is Python's own library
and the packages' sources. Figures are made: tables, log lines, timestamps, versions, hashes, of which documentation has
too few.
"""

from __future__ import annotations

import ast
import hashlib
import sysconfig
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

_LIBRARY: Final = Path(sysconfig.get_path("stdlib"))
_PACKAGES: Final = Path(sysconfig.get_path("purelib"))
_LANGUAGES: Final = (
    "Der Zug nach Hamburg fährt um 14:35 Uhr von Gleis 7 ab und braucht 2 Stunden und 48 Minuten.",
    "Le budget de 2024 s'élève à 1 234 567,89 euros, soit 3,4 % de plus que l'année précédente.",
    "La biblioteca abrió el 3 de mayo de 1987 y conserva 45.678 volúmenes en 12 salas.",
    "O rio tem 6.992 km de comprimento e atravessa 3 países; a vazão média é de 209.000 m³ por segundo.",
    "Il treno delle 18.20 arriva al binario 4 con circa 15 minuti di ritardo sul previsto.",
    "W 1998 roku miasto liczyło 123 456 mieszkańców, a w 2021 już 234 567.",
    "Talven kylmin lämpötila, -38,2 astetta, mitattiin 14.1.1987 kello 6.30.",
    "De brug is 1.234 meter lang en werd in 1966 voor 78,5 miljoen gulden gebouwd.",
    "東京の人口は2020年に14,047,594人で、面積は2,194平方キロメートルである。",
    "这座桥全长55公里，于2018年10月24日正式通车，总投资1269亿元。",
    "Население города в 2021 году составило 1 234 567 человек, на 12 % больше, чем в 2010.",
    "서울의 인구는 2023년에 9,386,034명이며 면적은 605.2 제곱킬로미터이다.",
)


def words(text: str) -> int:
    """Words as white space parts them; in a script without spaces, two characters count as one."""
    ideographs = sum("\u3040" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7a3" for character in text)
    return len(text.split()) + ideographs // 2


def _texts(files: Iterable[Path]) -> Iterator[str]:
    for file in files:
        try:
            yield file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue


def _sources() -> Iterator[Path]:
    yield from sorted(_LIBRARY.glob("*.py"))
    yield from sorted(path for path in _LIBRARY.glob("*/*.py") if path.parts[-2] not in ("site-packages", "test"))


def prose(most: int = 400_000) -> Iterator[tuple[str, str]]:
    """Name and text, up to about so many words."""
    seen: set[str] = set()
    for name, text in _documents():
        digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()
        if digest in seen or len(text) < 200:
            continue
        seen.add(digest)
        yield name, text
        most -= words(text)
        if most <= 0:
            return


def _documents() -> Iterator[tuple[str, str]]:
    yield "sentences in twelve languages", "\n".join(_LANGUAGES)
    for pattern in ("*.dist-info/METADATA", "*.dist-info/licenses/**/*", "*/README*", "*/*.md"):
        files = sorted(path for path in _PACKAGES.glob(pattern) if path.is_file())
        yield from zip(map(str, files), (_without_headers(text) for text in _texts(files)), strict=False)
    for file, source in zip(_sources(), _texts(_sources()), strict=False):
        yield f"docstrings of {file.name}", "\n\n".join(_docstrings(source))


def _without_headers(text: str) -> str:
    """A package's description: its authors' addresses are in the headers, and are addresses."""
    head, _, body = text.partition("\n\n")
    return body if head.startswith("Metadata-Version:") else text


def _docstrings(source: str) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""


def code(most: int = 300_000) -> Iterator[tuple[str, str]]:
    """Name and text of sources, up to about so many words."""
    for file in islice(_sources(), 2000):
        for text in _texts([file]):
            yield str(file), text
            most -= words(text)
        if most <= 0:
            return


def figures(lines: int = 20_000) -> str:
    """Lines of what machines write: each time the same."""
    random = Random(20_240_115)
    return "\n".join(_line(random) for _ in range(lines))


def _line(random: Random) -> str:
    clock = ":".join(f"{random.randrange(60) % limit:02d}" for limit in (24, 60, 60))
    day = f"2024-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"
    big, small, share = random.randint(10**6, 10**12), random.randint(1, 9), random.random()
    token = random.randbytes(32).hex()
    uuid = f"{token[:8]}-{token[8:12]}-{token[12:16]}-{token[16:20]}-{token[20:32]}"
    version = f"{small}.{random.randint(0, 30)}.{random.randint(0, 99)}"
    lines = (
        f"{day}T{clock}.{small:03d}Z INFO worker-{small} done in {share:.6f} s, {big} bytes",
        "\t".join(f"{random.gauss(50, 20):.4f}" for _ in range(6)),
        f"commit {token[:40]} of {small} files",
        f"sha256:{token}  image-{version}",
        ",".join(str(random.randint(0, 10 ** random.randint(1, 9))) for _ in range(8)),
        f"{1990 + small} | {big:,} | {share * 100:.1f} % | {random.randint(1, 10**6)}",
        f"ts={1_600_000_000 + big % 10**8} id={token[:32]} n={random.randint(1, 10**5)}",
        f"order {big} of {day}: {small} x {share * 100:.2f} EUR",
        f"request {uuid} took {random.randint(1, 9999)} ms",
        f"0x{big:012x}: mov r{small}, #{random.randint(0, 65535)}",
        f"ISBN 978-{small}-{random.randint(100, 999)}-{random.randint(10000, 99999)}-0, pages {small}-{big % 900}",
        f"v{version} released {day}, build {random.randint(10**4, 10**7)}",
    )
    return random.choice(lines)
