"""The house stays as it was drawn: imports flow one way, and each outside library has its room."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "addons" / "penstock"

# A room may import the rooms before it. Rooms of one line do not import each other, but for what is named below.
ORDER = [
    {"errors", "caller", "exchange", "verdict"},
    {"detect"},
    {"apis"},
    {"masking"},
    {"policy"},
    {"identity", "approvals", "journal", "redirect"},
    {"store"},
    {"replay"},
    {"proxy"},
    {"cli"},
    {"__main__"},
]
WITHIN = {
    # `masking` needs to know where text sits in a reply; `policy.settings` has the values that others are made from.
    ("errors", "exchange"), ("verdict", "exchange"),
}  # fmt: skip
ONLY = {
    "mitmproxy": {"proxy", "replay"},
    "duckdb": {"store"},
    "click": {"cli"},
    "httpx": {"identity", "cli"},
    "jose": {"identity"},
}


def imports(path: Path) -> set[str]:
    """Modules that a file imports, also inside functions and for type checking only."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module} | {
                f"{node.module}.{alias.name}" for alias in node.names if node.module == "penstock"
            }
    return found


def room(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def files() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def test_imports_flow_one_way() -> None:
    level = {name: number for number, names in enumerate(ORDER) for name in names}
    wrong = []
    for path in files():
        here = room(path)
        for module in imports(path):
            parts = module.split(".")
            if parts[0] != "penstock" or len(parts) < 2 or parts[1].startswith("__version"):
                continue
            there = parts[1]
            if there != here and (here, there) not in WITHIN and level[there] >= level[here]:
                wrong.append(f"{path.relative_to(PACKAGE)} imports {module}")
    assert wrong == []


def test_each_outside_library_has_its_room() -> None:
    wrong = []
    for path in files():
        for module in imports(path):
            allowed = ONLY.get(module.split(".")[0])
            if allowed is not None and room(path) not in allowed:
                wrong.append(f"{path.relative_to(PACKAGE)} imports {module}")
    assert wrong == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path) for path in files() if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_no_module_is_named_after_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
    assert [path for path in files() if path.stem in vague] == []
