"""Parameters under a grant: allowed, denied, clamped, filled in."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.exchange import Call, Json, Operation
from penstock.policy.parameters import Change, Parameter, Refused, same, settle

from .conftest import Load, Problems


def call(parameters: Mapping[str, Json], *, unusual: str = "", operation: Operation = Operation.CHAT) -> Call:
    return Call("test", operation, "m", parameters=parameters, unusual=frozenset(unusual.split()))


def test_ordinary_parameters_need_no_rule() -> None:
    assert settle({}, call({"temperature": 1.0})) == ()


def test_an_unusual_parameter_needs_a_rule_that_names_it() -> None:
    asked = call({"grammar": "root ::= x"}, unusual="grammar")
    assert settle({}, asked) == Refused("grammar", "The parameter 'grammar' is not granted.")
    assert settle({"grammar": Parameter()}, asked) == ()
    assert isinstance(settle({"grammar": Parameter(allow=False)}, asked), Refused)


def test_a_denied_parameter_is_refused_even_when_it_is_null() -> None:
    assert isinstance(settle({"tools": Parameter(allow=False)}, call({"tools": None})), Refused)
    assert settle({"tools": Parameter(allow=False)}, call({})) == ()


@pytest.mark.parametrize(
    ("rule", "value", "message"),
    [
        (Parameter(max=5), 6, "The parameter 'n' may be at most 5."),
        (Parameter(max=5), -1, "The parameter 'n' may be at most 5."),
        (Parameter(min=1, max=5), -1, "The parameter 'n' may be at least 1."),
        (Parameter(min=1), 0, "The parameter 'n' may be at least 1."),
        (Parameter(max=5), "3", "The parameter 'n' must be a number."),
        (Parameter(max=5), True, "The parameter 'n' must be a number."),
        (Parameter(max=5), [3], "The parameter 'n' must be a number."),
        (Parameter(max=5, over="clamp"), "3", "The parameter 'n' must be a number."),
        (Parameter(values=("a", 1)), "b", "The parameter 'n' does not have one of the values that are granted."),
        (Parameter(values=(1,)), True, "The parameter 'n' does not have one of the values that are granted."),
    ],
)
def test_a_value_that_does_not_fit_is_refused(rule: Parameter, value: Json, message: str) -> None:
    assert settle({"n": rule}, call({"n": value})) == Refused("n", message)


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (Parameter(max=5), 5),
        (Parameter(max=5), 5.0),
        (Parameter(min=-2, max=2), -2),
        (Parameter(min=0, max=1.2), 0),
        (Parameter(values=("a", 1)), 1.0),
        (Parameter(max=5), None),
    ],
)
def test_a_value_that_fits_passes_unchanged(rule: Parameter, value: Json) -> None:
    assert settle({"n": rule}, call({"n": value})) == ()


@pytest.mark.parametrize(("value", "clamped"), [(9, 5), (0, 1), (-1, 1), (5.5, 5)])
def test_a_value_outside_is_clamped_to_the_nearest_bound(value: Json, clamped: int) -> None:
    assert settle({"n": Parameter(min=1, max=5, over="clamp")}, call({"n": value})) == (Change("n", "clamp", clamped),)


def test_minus_one_means_no_limit_to_servers_so_it_is_clamped_to_the_maximum() -> None:
    assert settle({"n": Parameter(max=5, over="clamp")}, call({"n": -1})) == (Change("n", "clamp", 5),)


@pytest.mark.parametrize("parameters", [{}, {"n": None}])
def test_a_default_fills_in_what_is_left_out_or_null(parameters: Mapping[str, Json]) -> None:
    rules = {"n": Parameter(max=5, default=3)}
    assert settle(rules, call(parameters)) == (Change("n", "default", 3),)
    assert settle(rules, call(parameters, operation=Operation.COMPLETE)) == (Change("n", "default", 3),)


@pytest.mark.parametrize("operation", [Operation.LIST, Operation.EMBED, Operation.SHOW, Operation.HEALTH])
def test_a_default_is_not_put_into_calls_that_generate_nothing(operation: Operation) -> None:
    assert settle({"n": Parameter(default=3)}, call({}, operation=operation)) == ()


def test_the_first_parameter_that_does_not_fit_is_named() -> None:
    found = settle({"a": Parameter(max=1), "b": Parameter(max=1)}, call({"b": 2, "a": 2}))
    assert isinstance(found, Refused)


json = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=2),
    max_leaves=5,
)


@given(json)
def test_every_value_is_the_same_as_itself(value: Json) -> None:
    assert same(value, value)


@given(json, json)
def test_sameness_has_no_direction(one: Json, other: Json) -> None:
    assert same(one, other) == same(other, one)


def test_sameness_is_that_of_json() -> None:
    assert same(1, 1.0)
    assert not same(1, True)
    assert not same([1], [True])
    assert same({"a": [1]}, {"a": [1.0]})
    assert not same({"a": 1}, {"b": 1})
    assert not same([1], [1, 2])
    assert not same("1", 1)


GRANT = "grants: [{id: g, groups: [a], upstreams: [lab], operations: [chat], models: ['*'], parameters: {%s}}]"


def test_the_rules_are_read(loaded: Load) -> None:
    text = (
        "max_tokens: {max: 2048, default: 512, over: clamp}, temperature: {min: 0, max: 1.2}, "
        "tools: deny, grammar: allow, effort: {values: [low, null]}"
    )
    assert dict(loaded(GRANT % text).grants[0].parameters) == {
        "max_tokens": Parameter(max=2048, default=512, over="clamp"),
        "temperature": Parameter(min=0, max=1.2),
        "tools": Parameter(allow=False),
        "grammar": Parameter(),
        "effort": Parameter(values=("low", None)),
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n: {min: 5, max: 1}", "min 5 is above max 1: no value would fit"),
        ("n: {over: clamp}", "over: clamp needs min or max to clamp to"),
        ("n: {max: 5, default: 9}", "the default is not a value that this rule allows"),
        ("n: {max: 5, over: clamp, default: 9}", "the default is not a value that this rule allows"),
        ("n: {default: null}", "a default of null fills in nothing: remove it"),
        ("n: {maximum: 5}", "unknown key 'maximum' (did you mean 'max'?)"),
        ("n: refuse", "unknown parameter rule 'refuse'"),
        ("n: {max: '5'}", "expected a number, not the text '5'"),
        ("n: [1]", "expected a mapping (parameter), not a list"),
        ("'a b': deny", "expected a name"),
    ],
)
def test_rules_that_make_no_sense_are_problems(problems: Problems, text: str, expected: str) -> None:
    (found,) = problems(GRANT % text)
    assert expected in found


def test_an_unlimited_default_of_max_tokens_is_a_warning(loaded: Load) -> None:
    policy = loaded(GRANT % "max_tokens: {max: 5}")
    assert any("a call without max_tokens is not limited" in warning.message for warning in policy.warnings)
