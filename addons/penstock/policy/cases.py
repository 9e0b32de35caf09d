"""The policy's own tests: what a caller asks or a model says, and what must become of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from penstock.caller import Caller
from penstock.errors import PolicyError
from penstock.exchange import Call, Json, JsonObject, Operation, Turn
from penstock.policy.directory import names, read_all
from penstock.policy.marked import Mark, compose
from penstock.policy.readers import ANY_TEXT, BOOLEAN, GROUP, ID, JSON, TEXT, Reader, choice
from penstock.policy.reading import Reading, Unread
from penstock.policy.scope import OPERATIONS
from penstock.policy.shape import Fields, Key, Record, listed, mapped

FOLDER: Final = "cases"


@dataclass(frozen=True, slots=True)
class Post:
    """A request as it comes over the wire, read by the API that it is for."""

    path: str
    body: JsonObject | None


@dataclass(frozen=True, slots=True)
class Case:
    """One test. What `expect` does not name is not looked at."""

    name: str
    mark: Mark
    caller: Caller
    call: Call | Post
    upstream: str | None
    """None: the policy's first."""
    reply: str | None
    tool_call: str | None
    expect: Mapping[str, tuple[Mark, Json]]


# caller

ISSUER: Final = Key("issuer", ID, "The issuer's id.", "test")
SUBJECT: Final = Key("subject", TEXT, "The caller's subject.", "someone")
GROUPS: Final = Key("groups", listed(GROUP, empty=True), "The caller's groups.", (), "none")


def _caller(fields: Fields) -> Caller:
    return Caller(fields[ISSUER], fields[SUBJECT], frozenset(fields[GROUPS]), "oidc", float("inf"))


CALLER: Final = Record("case_caller", "Who asks.", (ISSUER, SUBJECT, GROUPS), _caller)
SOMEONE: Final = Caller("test", "someone", frozenset(), "oidc", float("inf"))

# call

ROLE: Final = Key("role", TEXT, "system, user, assistant, tool, ...")
CONTENT: Final = Key("content", ANY_TEXT, "The text.")
KIND: Final[Key[Literal["prompt", "tool_call"]]] = Key(
    "kind",
    choice("prompt", "tool_call", of="kind of turn"),
    "`tool_call`: a call of a tool that a model made.",
    "prompt",
)


def _message(fields: Fields) -> Turn:
    kind = fields[KIND]
    return Turn(fields[ROLE], fields[CONTENT], (), kind, "json" if kind == "tool_call" else "text")


MESSAGE: Final = Record("case_message", "One turn of a prompt.", (ROLE, CONTENT, KIND), _message)

OPERATION: Final = Key("operation", OPERATIONS, "What is asked for.", "chat")
MODEL: Final[Key[str | None]] = Key("model", TEXT, "Of which model.", None, "any; none for list and health")
PROMPT: Final[Key[str | None]] = Key("prompt", ANY_TEXT, "One text of a user.", None, "none")
MESSAGES: Final = Key("messages", listed(MESSAGE.reader), "Several turns.", (), "none")
PARAMETERS: Final = Key("parameters", mapped(JSON), "Parameters by canonical name.", {}, "none")
UNUSUAL: Final = Key("unusual", listed(ID), "Which of them the API does not list as ordinary.", (), "none")
TOOLS: Final = Key("tools", listed(TEXT), "Names of the tools offered to the model.", (), "none")
UNINSPECTED: Final = Key("uninspected", listed(ID), "Kinds of content that nobody can read.", (), "none")
STREAM: Final = Key("stream", BOOLEAN, "Whether the reply is to be streamed.", default=False, otherwise="false")
UPSTREAM: Final[Key[str | None]] = Key("upstream", TEXT, "The model server asked.", None, "the policy's first")
PATH: Final[Key[str | None]] = Key(
    "path", TEXT, "Instead: the path of a real request, `/v1/chat/completions`.", None, "none"
)
BODY: Final = Key("body", JSON, "And its JSON body.", None, "none")
_ROUTED: Final = (PATH, BODY, UPSTREAM)


def _call(fields: Fields) -> tuple[Call | Post, str | None]:
    path = fields[PATH]
    if path is not None:
        body = fields[BODY]
        for key in CALL.keys:
            if fields.given(key) and key not in _ROUTED:
                raise fields.wrong(key, f"'{key.name}' beside 'path': the body says it")
        if body is not None and not isinstance(body, dict):
            raise fields.wrong(BODY, "the body must be a mapping")
        return Post(path, body), fields[UPSTREAM]
    if fields.given(BODY):
        raise fields.wrong(BODY, "a body needs the path that it is sent to")
    operation = Operation(fields[OPERATION])
    modelless = operation in (Operation.LIST, Operation.HEALTH, Operation.METRICS)
    turns = fields[MESSAGES]
    if fields[PROMPT] is not None:
        turns = (*turns, Turn("user", fields[PROMPT] or "", ()))
    parameters: dict[str, Json] = dict(fields[PARAMETERS])
    if fields[TOOLS]:
        parameters.setdefault("tools", list(fields[TOOLS]))
    call = Call(
        api="case",
        operation=operation,
        model=fields[MODEL] or (None if modelless else "any"),
        turns=turns,
        parameters=parameters,
        unusual=frozenset(fields[UNUSUAL]) & parameters.keys(),
        tools=fields[TOOLS],
        stream=fields[STREAM],
        uninspected=fields[UNINSPECTED],
    )
    return call, fields[UPSTREAM]


CALL: Final = Record(
    "case_call",
    "What is asked.",
    (OPERATION, MODEL, PROMPT, MESSAGES, PARAMETERS, UNUSUAL, TOOLS, UNINSPECTED, STREAM, UPSTREAM, PATH, BODY),
    _call,
)

# expect

_VERDICT: Final[Reader[str]] = choice("allow", "deny", "hold", of="verdict")
EXPECTED: Final = (
    Key("verdict", _VERDICT, "What is decided.", "", "not looked at"),
    Key("rule", ANY_TEXT, "The rule that decided: a grant, a guardrail, `grant:parameter`.", "", "not looked at"),
    Key("rules", listed(TEXT), "Rules that matched, observed ones too; others may have as well.", (), "not looked at"),
    Key("code", TEXT, "The code of a denial.", "", "not looked at"),
    Key("message", TEXT, "What the caller reads.", "", "not looked at"),
    Key("approval", TEXT, "The approval rule that a held call waits for.", "", "not looked at"),
    Key("parameters", mapped(JSON), "Parameters as they are forwarded.", {}, "not looked at"),
    Key("prompt", ANY_TEXT, "The prompt's texts as the model gets them, one a line.", "", "not looked at"),
    Key("reply", ANY_TEXT, "The reply as it is delivered, whole and streamed.", "", "not looked at"),
    Key("tool_call", ANY_TEXT, "The arguments of the tool call as they are delivered.", "", "not looked at"),
    Key("stopped", TEXT, "The guardrail that ended the reply.", "", "not looked at"),
)


def _expect(fields: Fields) -> dict[str, tuple[Mark, Json]]:
    given = [key for key in EXPECTED if fields.given(key)]
    if not given:
        raise fields.reading.wrong(fields.mark, "a case must expect something")
    return {key.name: (fields.at(key), _plain(fields[key])) for key in given}


def _plain(value: object) -> Json:
    return list(value) if isinstance(value, tuple) else value  # type: ignore[return-value]


EXPECT: Final = Record("case_expect", "What must become of it.", EXPECTED, _expect)

# case

NAME: Final = Key("name", TEXT, "What the case shows, as a sentence.")
CALLER_KEY: Final = Key("caller", CALLER.reader, "Who asks.", SOMEONE, "someone without groups")
CALL_KEY: Final[Key[tuple[Call | Post, str | None] | None]] = Key(
    "call", CALL.reader, "What is asked.", None, "an empty chat"
)
REPLY: Final[Key[str | None]] = Key("reply", ANY_TEXT, "What the model says.", None, "nothing")
TOOL_CALL: Final[Key[str | None]] = Key(
    "tool_call", ANY_TEXT, "JSON arguments of a tool call of the model.", None, "none"
)
EXPECT_KEY: Final = Key("expect", EXPECT.reader, "What must become of it.")


def _case(fields: Fields) -> Case:
    call, upstream = fields[CALL_KEY] or (Call("case", Operation.CHAT, "any"), None)
    expect = fields[EXPECT_KEY]
    for key in (REPLY, TOOL_CALL):
        if key.name in expect and fields[key] is None:
            raise fields.reading.wrong(expect[key.name][0], f"expects a {key.name}, but there is none in the case")
    if "stopped" in expect and fields[REPLY] is None and fields[TOOL_CALL] is None:
        raise fields.reading.wrong(expect["stopped"][0], "expects a reply to be stopped, but there is none in the case")
    return Case(fields[NAME], fields.mark, fields[CALLER_KEY], call, upstream, fields[REPLY], fields[TOOL_CALL], expect)


CASE: Final = Record("case", "One test.", (NAME, CALLER_KEY, CALL_KEY, REPLY, TOOL_CALL, EXPECT_KEY), _case)
CASES_KEY: Final = Key("cases", listed(CASE.reader), "The policy's tests.", (), "none")
FILE: Final = Record("cases", "A file of cases, `cases/*.yaml`.", (CASES_KEY,), lambda fields: fields[CASES_KEY])
RECORDS: Final = (FILE, CASE, CALLER, CALL, MESSAGE, EXPECT)


def load_cases(directory: Path) -> tuple[Case, ...]:
    """The cases of a policy's directory, in file order; none when it has no folder `cases`.

    Raises: PolicyError with every problem of every file.
    """
    folder = directory / FOLDER
    if not folder.is_dir():
        return ()
    reading = Reading(folder, {}, 0.0)
    found: list[Case] = []
    for name, data in read_all(folder, names(folder)):
        node = compose(str(folder / name), data, reading.problems)
        if node is None:
            continue
        try:
            found += FILE.read(node, reading)
        except Unread:
            continue
    if reading.problems:
        raise PolicyError(tuple(reading.problems))
    return tuple(found)
