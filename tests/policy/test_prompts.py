"""Packs on prompts: attacks in many words, and ordinary prompts that look alike; how many are found, and how many alarm."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from penstock.exchange import Call, Operation, Turn
from penstock.policy import Policy, load
from penstock.policy.packs import shipped
from penstock.policy.subject import Sieve, of_call

from .conftest import BASE

LETTERS = string.ascii_letters + string.digits
PROMPTS = Path(__file__).with_name("prompts.txt")
PACKS = sorted(path.stem for path in shipped().iterdir())


def filled(text: str) -> str:
    """With keys and passwords made up for its {names}, the same in every run."""
    random = Random(text)

    def of(count: int, letters: str = LETTERS) -> str:
        return "".join(random.choice(letters) for _ in range(count))

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    lines = ["-----BEGIN RSA PRIVATE " + "KEY-----", *(of(64) for _ in range(12)), "-----END RSA PRIVATE " + "KEY-----"]
    made = {
        "pw": of(13) + "aB3",
        "pem": "\n".join(lines),
        "jwt": f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part({'sub': '123', 'iat': 1516239022})}.{of(43)}",
        "aws": "AK" + "IA" + of(16, string.ascii_uppercase + "234567"),
        "awssecret": of(40),
        "openai": "sk" + "-proj-" + of(74) + "T3BlbkFJ" + of(74),
        "anthropic": "sk" + "-ant-api03-" + of(93) + "AA",
        "github": "gh" + "p_" + of(36),
        "gitlab": "gl" + "pat-" + of(20),
        "google": "AI" + "za" + of(35),
        "hf": "h" + "f_" + of(34, string.ascii_letters),
        "slack": f"xo{'xb'}-{of(12, string.digits)}-{of(12, string.digits)}-{of(24)}",
        "stripe": "sk" + "_live_" + of(24),
    }
    for name, value in made.items():
        text = text.replace("{" + name + "}", value)
    return text


def prompts() -> dict[tuple[str, str, str], list[str]]:
    found: dict[tuple[str, str, str], list[str]] = {}
    at: list[str] = []
    for line in PROMPTS.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            pack, batch, kind = line[3:].split()
            at = found[pack, batch, kind] = []
        elif line and not line.startswith("# "):
            at.append(filled(line))
    return found


CASES = prompts()


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "a.yaml").write_text(f"{BASE}\npacks: [{', '.join(PACKS)}]\n")
    return load(folder)


def found(policy: Policy, pack: str, texts: list[str]) -> Iterator[str]:
    """The texts in which a rule of the pack finds something."""
    rails = [rail for rail in policy.guardrails if rail.id.startswith(f"{pack}.") and "prompt" in rail.on]
    sieve = Sieve({pattern for rail in rails for pattern in rail.match.patterns})
    for text in texts:
        subject = of_call(sieve, Call("case", Operation.CHAT, "any", (Turn("user", text, ()),)), frozenset({"prompt"}))
        if any(rail.match.hits(subject) for rail in rails):
            yield text


def test_every_pack_has_attacks_and_more_ordinary_prompts() -> None:
    for pack in PACKS:
        assert len(CASES[pack, "fitted", "attack"]) >= 75
        assert len(CASES[pack, "fitted", "ordinary"]) >= 110


@pytest.mark.parametrize("pack", PACKS)
def test_attacks_that_the_pack_was_written_for_are_found(policy: Policy, pack: str) -> None:
    attacks = CASES[pack, "fitted", "attack"]
    assert len(list(found(policy, pack, attacks))) >= 0.95 * len(attacks)


@pytest.mark.parametrize("pack", PACKS)
def test_ordinary_prompts_that_look_like_attacks_alarm_hardly_ever(policy: Policy, pack: str) -> None:
    ordinary = CASES[pack, "fitted", "ordinary"] + CASES[pack, "fresh", "ordinary"]
    assert len(list(found(policy, pack, ordinary))) <= 0.02 * len(ordinary)


def test_a_phrase_in_other_words_is_mostly_not_found(policy: Policy) -> None:
    """What nobody wrote a pattern for: the reference says so. Credentials have a form, whatever the words around them."""
    hits = {pack: len(list(found(policy, pack, CASES[pack, "fresh", "attack"]))) for pack in PACKS}
    assert hits["credentials_in_prompts"] == len(CASES["credentials_in_prompts", "fresh", "attack"])
    assert all(hits.values())
    assert min(hits.values()) < 4
