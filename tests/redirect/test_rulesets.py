"""The compiled form of a redirect: policies in, rulesets out, word for word.

`PENSTOCK_GOLDEN=write pytest tests/redirect/test_rulesets.py` writes the files anew; read the difference.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from penstock.policy import load
from penstock.redirect import iptables, nftables
from penstock.redirect.plan import Plan, plan

GOLDEN = Path(__file__).parent / "golden"
CASES: dict[str, dict[str, Any]] = {
    "both": {},
    "remote": {"interfaces": ("eth1", "br-lan.20"), "elsewhere": True},
    "names": {"port": 8443},
}


def made(case: str) -> Plan:
    return plan(load(GOLDEN / case).gateway, 991, **CASES[case])


def compare(file: Path, text: str) -> None:
    if os.environ.get("PENSTOCK_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()


def test_every_policy_among_the_golden_files_is_a_case() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_the_nftables_ruleset_is_as_written_down(case: str) -> None:
    compare(GOLDEN / case / "ruleset.nft", nftables.ruleset(made(case)))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("family", [4, 6])
def test_the_iptables_ruleset_is_as_written_down(case: str, family: iptables.Family) -> None:
    compare(GOLDEN / case / f"ruleset.iptables{family}", iptables.ruleset(made(case), family))


@pytest.mark.parametrize("case", CASES)
def test_the_warnings_are_as_written_down(case: str) -> None:
    compare(GOLDEN / case / "warnings.txt", "".join(f"{warning}\n" for warning in made(case).warnings))


@pytest.mark.parametrize("case", CASES)
def test_only_the_table_of_its_own_is_touched(case: str) -> None:
    text = nftables.ruleset(made(case))
    assert set(re.findall(r"^(?:delete )?table .*?(?= \{|$)", text, re.M)) == {
        "table inet penstock",
        "delete table inet penstock",
    }
    assert "flush" not in text
    old = iptables.ruleset(made(case), 4)
    assert all(line.startswith((":PENSTOCK-", "-A PENSTOCK-", "*", "COMMIT")) for line in old.splitlines())


@pytest.mark.root
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("tool", ["nft", "iptables", "ip6tables"])
def test_the_real_tools_take_it(case: str, tool: str) -> None:
    texts = {
        "nft": (nftables.ruleset(made(case)), ["nft", "-c", "-f", "-"]),
        "iptables": (iptables.ruleset(made(case), 4), ["iptables-restore", "--test", "--noflush"]),
        "ip6tables": (iptables.ruleset(made(case), 6), ["ip6tables-restore", "--test", "--noflush"]),
    }
    text, words = texts[tool]
    done = subprocess.run(["unshare", "--net", *words], input=text, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
