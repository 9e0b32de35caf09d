"""Packs: rules that one line of a policy brings in, and the examples that keep them honest."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from penstock.cli import check, test
from penstock.detect.admission import admit
from penstock.detect.detector import DETECTORS
from penstock.errors import PolicyError
from penstock.exchange import Call, Operation, Turn
from penstock.policy import Policy, load
from penstock.policy.cases import Case
from penstock.policy.kinds.detector import Detected
from penstock.policy.packs import shipped
from penstock.policy.trial import of_packs, run
from penstock.policy.watch import Watcher

from .conftest import BASE, Load, Problems, Write

NAMES = sorted(path.stem for path in shipped().iterdir())
ORDINARY = Path(__file__).with_name("ordinary.txt").read_text(encoding="utf-8").splitlines()
OWN = """
about: Words of ours.
guardrails:
  - id: secret-project
    on: [prompt]
    match: {words: [project heron]}
    action: deny
    message: Not here.
    hits: [what is Project Heron]
    misses: [a heron is a bird]
  - id: other
    on: [completion]
    match: {all: [{words: [crown]}, {words: [jewels]}]}
    action: deny
    hits: [the crown jewels]
    misses: [a crown]
"""


def used(policy: Policy) -> list[tuple[Policy, Case]]:
    return list(of_packs(policy))


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "a.yaml").write_text(f"{BASE}\npacks: [{', '.join(NAMES)}]\n")
    return load(folder)


@pytest.fixture(scope="module")
def trials(every: Policy) -> list[tuple[Policy, Case]]:
    return used(every)


def with_pack(folder: Path, text: str = OWN, name: str = "ours") -> Path:
    (folder / "packs").mkdir(exist_ok=True)
    (folder / "packs" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


# The packs that ship


def test_the_packs_that_ship_have_names() -> None:
    assert NAMES == [
        "bulk_export",
        "credentials_in_prompts",
        "jailbreak",
        "prompt_injection",
        "system_prompt_extraction",
    ]


def test_each_rule_is_observed_named_after_its_pack_and_placed_in_its_file(every: Policy) -> None:
    assert {rail.mode for rail in every.guardrails} == {"observe"}
    assert "prompt_injection.ignore-instructions" in {rail.id for rail in every.guardrails}
    for pack in every.packs:
        assert pack.about
        assert {rail.id.partition(".")[0] for rail in pack.guardrails} == {pack.name}
        assert {rail.where.partition(":")[0] for rail in pack.guardrails} == {f"{pack.name}.yaml"}


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_each_pack_hold(trials: list[tuple[Policy, Case]], name: str) -> None:
    cases = [(alone, case) for alone, case in trials if case.name.startswith(f"{name}.")]
    assert len(cases) > 20
    assert [case.name for alone, case in cases if run(alone, case).differences] == []


def test_every_rule_has_texts_that_it_finds_and_leaves_alone(every: Policy) -> None:
    for pack in every.packs:
        for rail in pack.guardrails:
            kinds = {example.found for example in pack.examples if rail.id == f"{pack.name}.{example.rule}"}
            assert kinds == {True, False}, rail.id


def test_patterns_that_ship_are_fit_for_streams(every: Policy) -> None:
    """They are taken on trust when a policy is read, so that it starts in no time."""
    for rail in every.guardrails:
        if not isinstance(rail.match, Detected):
            for pattern in rail.match.patterns:
                admit(pattern, streamed=True)


def test_ordinary_prompts_alarm_nobody(trials: list[tuple[Policy, Case]]) -> None:
    """Each pack is asked with all of its rules enforced."""
    whole = {case.name.partition(".")[0]: (alone, case) for alone, case in trials if "leaves alone" in case.name}
    assert sorted(whole) == NAMES
    assert len(ORDINARY) > 150
    alarms = []
    for name, (alone, case) in whole.items():
        for text in ORDINARY:
            call = Call("case", Operation.CHAT, "any", (Turn("user", text, ()),))
            asked = replace(case, call=call, reply=None, expect={"verdict": (case.mark, "allow")})
            alarms += [(name, text) for _ in run(alone, asked).differences]
    assert alarms == []


def test_the_pack_of_credentials_knows_every_detector_of_a_secret(every: Policy) -> None:
    pack = next(pack for pack in every.packs if pack.name == "credentials_in_prompts")
    named = {name for rail in pack.guardrails if isinstance(rail.match, Detected) for name in rail.match.names}
    assert sorted({known.name for known in DETECTORS if known.kind == "secret"} - named) == []


# Using a pack


def test_a_pack_can_be_enforced_for_some_callers_without_some_rules(loaded: Load) -> None:
    policy = loaded("packs: [{name: jailbreak, mode: enforce, when: {groups: [staff]}, without: [personas]}]")
    assert [rail.id for rail in policy.guardrails] == ["jailbreak.no-limits", "jailbreak.forbidden-to-refuse"]
    assert {rail.mode for rail in policy.guardrails} == {"enforce"}
    assert {rail.when.groups for rail in policy.guardrails} == {frozenset({"staff"})}
    assert all(case.name.startswith(("jailbreak.no", "jailbreak.forb")) for _, case in used(policy))


def test_what_a_pack_says_counts_in_the_hash(loaded: Load) -> None:
    hashes = {
        loaded(f"packs: [{use}]").hash for use in ("jailbreak", "bulk_export", "{name: jailbreak, mode: enforce}")
    }
    assert len(hashes) == 3


def test_an_unknown_pack_is_a_problem_with_a_suggestion(problems: Problems) -> None:
    assert problems("packs: [jailbrake]") == ["1:9: unknown pack 'jailbrake' (did you mean 'jailbreak'?)"]
    assert problems("packs: [{name: jailbreak, without: [persona]}]") == [
        "1:16: pack 'jailbreak' has no rule 'persona' (did you mean 'personas'?)"
    ]


def test_a_pack_is_used_once(problems: Problems) -> None:
    found = problems("packs: [jailbreak, {name: jailbreak, mode: enforce}]")
    assert any(each.startswith("1:27: pack 'jailbreak' is here a second time (first at b.yaml:1") for each in found)


def test_unknown_keys_and_modes_are_problems(problems: Problems) -> None:
    assert problems("packs: [{name: jailbreak, mod: enforce}]") == ["1:27: unknown key 'mod' (did you mean 'mode'?)"]
    assert problems("packs: [{name: jailbreak, mode: enforced}]") == [
        "1:33: unknown mode 'enforced' (did you mean 'enforce'?)"
    ]


# Packs of one's own


def test_a_policy_has_packs_of_its_own(write: Write) -> None:
    folder = with_pack(write(BASE, "packs: [{name: ours, mode: enforce}]"))
    policy = load(folder)
    assert [rail.id for rail in policy.guardrails] == ["ours.secret-project", "ours.other"]
    assert [str(warning).rpartition(": ")[2] for warning in policy.warnings if "whole" in warning.message] == [
        "replies it applies to are delivered only when complete"
    ]
    assert all(run(alone, case).passed for alone, case in used(policy))
    assert len(used(policy)) == 4


def test_an_own_pack_stands_before_one_that_ships(write: Write) -> None:
    policy = load(with_pack(write(BASE, "packs: [jailbreak]"), name="jailbreak"))
    assert [rail.id for rail in policy.guardrails] == ["jailbreak.secret-project", "jailbreak.other"]


def test_a_change_of_an_own_pack_is_noticed(write: Write) -> None:
    folder = with_pack(write(BASE, "packs: [ours]"))
    watcher = Watcher(folder, load(folder))
    assert watcher.poll() is None
    with_pack(folder, OWN.replace("project heron", "project egret").replace("Project Heron", "Project Egret"))
    found = [watcher.poll(), watcher.poll()]
    assert isinstance(found[1], Policy)


def test_what_is_wrong_in_a_pack_is_told_with_its_place(write: Write) -> None:
    broken = OWN.replace("action: deny", "action: never", 1)
    with pytest.raises(PolicyError) as error:
        load(with_pack(write(BASE, "packs: [ours]"), broken))
    (problem,) = error.value.problems
    assert str(problem).endswith("packs/ours.yaml:7:13: unknown action 'never' (there is: deny, flag, hold)")
    with pytest.raises(PolicyError, match=r"pack 'ours' cannot be read, or is empty"):
        load(with_pack(write(BASE, "packs: [ours]"), ""))


def test_a_pattern_of_an_own_pack_is_admitted_like_any_other(write: Write) -> None:
    broken = OWN.replace("{words: [project heron]}", "{pattern: '(a+)+b'}")
    with pytest.raises(PolicyError, match=r"packs/ours\.yaml:6"):
        load(with_pack(write(BASE, "packs: [ours]"), broken))


# On the command line


def test_check_and_test_try_the_examples(write: Write) -> None:
    folder = with_pack(write(BASE, "packs: [ours]"))
    checked = CliRunner().invoke(check.command, [str(folder), "--json"])
    assert json.loads(checked.stdout)["packs"] == ["ours"]
    assert "ours (2)" in CliRunner().invoke(check.command, [str(folder)]).stdout
    tested = CliRunner().invoke(test.command, [str(folder), "--json"])
    assert (tested.exit_code, json.loads(tested.stdout)["passed"]) == (0, 4)


def test_an_example_that_fails_is_a_problem(write: Write) -> None:
    wrong = OWN.replace("a heron is a bird", "project heron").replace("the crown jewels", "nothing")
    folder = with_pack(write(BASE, "packs: [ours]"), wrong)
    checked = CliRunner().invoke(check.command, [str(folder)])
    assert checked.exit_code == 1
    assert "packs/ours.yaml:10:14: example fails: ours.secret-project: leaves alone project heron" in checked.stderr
    assert "packs/ours.yaml:15:12: example fails: ours.other: finds nothing" in checked.stderr
    assert CliRunner().invoke(test.command, [str(folder)]).exit_code == 1
