"""What is ordered of a server is an operation of its own, about a model that is named, with nothing in it unread."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import apis
from penstock.apis.calls.fields import BOOL, INT, LIST, NUMBER, OBJECT, STRING
from penstock.apis.calls.posted import CLOUD
from penstock.apis.names import ollama_name
from penstock.apis.orders import Order, Ordered, OrderReader, Orders, hide_secrets
from penstock.apis.replies.pieces import UnreadableError
from penstock.apis.several.metrics import METRICS
from penstock.errors import Refusal
from penstock.exchange import Call, Json, JsonObject, Operation, Reply
from tests.apis.calls import call, said

ORDERS = [api for api in apis.APIS if isinstance(api, Orders)]
LOOKING = {Operation.LIST, Operation.SHOW, Operation.HEALTH, Operation.METRICS}


def bare(path: str, method: str = "GET") -> Call:
    """A call without a body."""
    api, route = apis.recognise(method, apis.normal_path(path))
    return api.call(route, path, None)


def own(*orders: Order, **more: object) -> Orders:
    return Orders("own", apis.OPENAI, orders, **more)  # type: ignore[arg-type]


def test_the_model_of_an_order_has_one_spelling() -> None:
    made = call("/api/pull", {"model": "registry.ollama.ai/library/LLAMA3:latest", "stream": True})
    assert (made.operation, made.model, made.stream) == (Operation.PULL, "llama3", True)
    assert made.body == {"model": "llama3", "stream": True}
    assert made.unusual == frozenset()
    assert not made.turns


def test_what_is_unusual_in_an_order_needs_a_grant() -> None:
    made = call("/api/pull", {"model": "llama3", "insecure": True})
    assert made.parameters["insecure"] is True and made.unusual == {"insecure"}


def test_the_older_word_for_the_model_is_read_too_and_both_must_agree() -> None:
    assert call("/api/delete", {"name": "llama3"}, "DELETE").model == "llama3"
    assert call("/api/delete", {"name": "LLAMA3", "model": "llama3:latest"}, "DELETE").model == "llama3"
    with pytest.raises(Refusal) as caught:
        call("/api/delete", {"name": "llama3", "model": "llama2"}, "DELETE")
    assert "more than one model" in caught.value.message


def test_an_order_without_its_model_is_refused() -> None:
    bodies: dict[str, JsonObject] = {"/api/pull": {}, "/api/copy": {"destination": "x"}, "/v1/load_lora_adapter": {}}
    for path, body in bodies.items():
        with pytest.raises(Refusal) as caught:
            call(path, body)
        assert "must name a model" in caught.value.message


def test_a_copy_names_both_models() -> None:
    made = call("/api/copy", {"source": "llama3", "destination": "library/Mine:latest"})
    assert made.model == "llama3" and made.operation == Operation.COPY
    assert made.parameters == {"destination": "mine"} and made.unusual == {"destination"}
    assert made.body == {"source": "llama3", "destination": "mine"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/copy", {"source": "qwen3:cloud", "destination": "mine"}),
        ("/api/copy", {"source": "mine", "destination": "a:1b-cloud"}),
        ("/api/pull", {"model": "qwen3:480b-cloud"}),
        ("/api/create", {"model": "mine", "from": "qwen3:cloud"}),
    ],
)
def test_a_model_in_the_cloud_is_a_parameter_of_its_own(path: str, body: JsonObject) -> None:
    made = call(path, body)
    assert made.parameters[CLOUD] is True and CLOUD in made.unusual


def test_what_a_new_model_is_told_is_read_by_its_role() -> None:
    made = call(
        "/api/create",
        {
            "model": "mine",
            "from": "llama3",
            "system": "be kind",
            "template": "{{ .Prompt }}",
            "license": ["use it well"],
            "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}, {"role": "x y"}],
            "parameters": {"stop": ["the end"], "temperature": 1},
        },
    )
    assert made.operation == Operation.CREATE and made.model == "mine"
    assert set(said(made)) == {
        ("system", "be kind"),
        ("system", "{{ .Prompt }}"),
        ("other", "use it well"),
        ("user", "hi"),
        ("assistant", "ho"),
        ("user", "x y"),
        ("other", "the end"),
    }
    assert made.unusual == {"from"}


def test_an_alias_of_a_model_elsewhere_needs_a_grant() -> None:
    made = call("/api/create", {"model": "mine", "from": "gpt", "remote_host": "https://other.example", "files": {}})
    assert {"from", "remote_host"} <= made.unusual


def test_messages_that_are_no_list_are_read_all_the_same() -> None:
    assert said(call("/api/create", {"model": "mine", "messages": "hi there"})) == [("user", "hi there")]


def test_texts_of_an_order_are_masked_in_its_body() -> None:
    made = call("/api/create", {"model": "mine", "system": "mail a@b.example"})
    masked = apis.with_texts(made, {("system",): "mail [EMAIL]"})
    assert masked.body == {"model": "mine", "system": "mail [EMAIL]"} and said(masked) == [("system", "mail [EMAIL]")]
    assert isinstance(masked, Ordered) and masked.model == "mine"


def test_a_key_that_nobody_knows_is_text_and_needs_a_grant() -> None:
    made = call("/api/pull", {"model": "llama3", "note": "a b"})
    assert said(made) == [("other", "a b")] and made.unusual == {"note"}


def test_a_known_key_in_another_spelling_is_refused() -> None:
    with pytest.raises(Refusal):
        call("/api/pull", {"model": "llama3", "Insecure": True})


@pytest.mark.parametrize("key", ["token", "hf_token", "api_key"])
def test_a_credential_would_be_recorded_and_is_refused(key: str) -> None:
    with pytest.raises(Refusal) as caught:
        call("/v1/download", {"repo_id": "tiny/chat", key: "hf_secret"})
    assert "credential" in caught.value.message and "hf_secret" not in caught.value.message


def test_a_string_that_should_be_an_identifier_is_text_when_it_is_none() -> None:
    made = call("/v1/load_lora_adapter", {"lora_name": "sql", "lora_path": "ask bob@example.org first"})
    assert made.model == "sql" and made.operation == Operation.ADAPT
    assert said(made) == [("other", "ask bob@example.org first")]
    assert not call("/v1/load_lora_adapter", {"lora_name": "sql", "lora_path": "org.sql-v2"}).turns


def test_a_blob_is_a_file_that_nobody_reads() -> None:
    digest = "sha256:" + "a" * 64
    found = apis.recognise("POST", f"/api/blobs/{digest}")
    assert found.route.encodings == ("raw",)
    made = found.api.call(found.route, f"/api/blobs/{digest}", {"content_type": "", "data": "x"})
    assert made.uninspected == ("file",) and made.model == digest and made.operation == Operation.CREATE
    assert made.encoding == "raw" and not made.unusual
    assert bare(f"/api/blobs/{digest}", "HEAD").operation == Operation.SHOW
    with pytest.raises(Refusal):
        bare("/api/blobs/llama3", "HEAD")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/flush_cache"),
        ("GET", "/freeze_gc"),
        ("GET", "/set_trace_level"),
        ("GET", "/start_profile"),
        ("GET", "/stop_profile"),
        ("GET", "/start_expert_distribution_record"),
        ("GET", "/stop_expert_distribution_record"),
        ("GET", "/dump_expert_distribution_record"),
        ("GET", "/terminate"),
        ("GET", "/nodes/terminate_all"),
        ("DELETE", "/v1/clusters"),
        ("DELETE", "/hicache/storage-backend"),
    ],
)
def test_what_changes_a_server_is_never_taken_for_looking_at_it(method: str, path: str) -> None:
    assert bare(path, method).operation == Operation.CONFIGURE


def test_an_order_by_a_method_that_changes_things_is_no_looking_either() -> None:
    looking = {"/ping", "/is_scaling_elastic_ep", "/weight_checker", "/weights_checker"}
    for api in ORDERS:
        for order in api.orders:
            if order.method in ("POST", "PUT", "DELETE") and order.path not in looking and "/index" not in order.path:
                assert order.operation not in LOOKING, order.path


def test_query_parameters_have_types() -> None:
    made = bare("/sleep?level=1&mode=abort", "POST")
    assert made.parameters == {"level": 1, "mode": "abort"} and made.operation == Operation.UNLOAD
    assert bare("/pause?clear_cache=False", "POST").parameters == {"clear_cache": False}
    assert bare("/flush_cache?timeout=1.5").parameters == {"timeout": 1.5}
    for wrong in ("/sleep?level=one", "/pause?clear_cache=maybe", "/sleep?mode=a%20b", "/flush_cache?timeout=x"):
        with pytest.raises(Refusal):
            bare(wrong, "GET" if "flush" in wrong else "POST")


def test_a_query_parameter_can_need_a_grant_and_cannot_be_clamped() -> None:
    made = bare("/props?autoload=true&model=tiny")
    assert made.model == "tiny" and made.unusual == {"autoload"} and made.parameters == {"autoload": True}
    with pytest.raises(Refusal) as caught:
        apis.by_name(made.api).with_parameters(made, {"autoload": False})
    assert caught.value.code == "not_granted"


def test_a_parameter_in_the_body_is_clamped() -> None:
    made = call("/scale_elastic_ep", {"new_data_parallel_size": 64})
    changed = apis.by_name(made.api).with_parameters(made, {"new_data_parallel_size": 8})
    assert changed.body == {"new_data_parallel_size": 8} and changed.parameters == {"new_data_parallel_size": 8}


def test_a_body_may_be_left_out_only_where_it_says_nothing() -> None:
    assert bare("/reset_mm_cache", "POST").body is None
    assert call("/reset_mm_cache", {}).body == {}
    assert bare("/start_profile", "POST").body is None
    with pytest.raises(Refusal):
        bare("/api/pull", "POST")
    with pytest.raises(Refusal):
        bare("/api/blobs/sha256:" + "a" * 64, "POST")


def test_a_body_is_refused_where_none_belongs() -> None:
    api, route = apis.recognise("GET", "/flush_cache")
    with pytest.raises(Refusal):
        api.call(route, "/flush_cache", {})


def test_the_model_in_a_path_is_judged() -> None:
    assert bare("/v1/models/tiny-chat", "DELETE").model == "tiny-chat"
    made = bare("/v1/model_registrations/LLM/mine", "DELETE")
    assert made.model == "mine" and made.parameters == {"type": "LLM"} and not made.unusual


def test_a_name_in_a_path_must_be_an_identifier() -> None:
    assert bare("/slots/3?action=erase", "POST").parameters == {"id": "3", "action": "erase"}
    with pytest.raises(Refusal):
        bare("/slots/a%20b?action=erase", "POST")


def test_a_name_that_cannot_be_rewritten_where_it_stands_is_refused_unless_it_is_canonical() -> None:
    api = own(Order("DELETE", "/m", Operation.DELETE, query={"model": STRING}, model=("model",)), naming=ollama_name)
    assert api.call(api.routes[0], "/m?model=llama3", None).model == "llama3"
    with pytest.raises(Refusal) as caught:
        api.call(api.routes[0], "/m?model=LLAMA3", None)
    assert "llama3" in caught.value.message


def test_a_model_may_be_left_out_where_the_server_has_but_one() -> None:
    assert bare("/metrics").model is None and bare("/metrics?model=tiny").model == "tiny"
    assert bare("/metrics").operation == Operation.METRICS


def test_scales_of_adapters_are_read_and_written_anew() -> None:
    found = apis.recognise("POST", "/lora-adapters")
    made = apis.asked(found, "/lora-adapters", b'[ {"id": 0, "scale": 0.5} ]', "application/json")
    assert made.operation == Operation.ADAPT and made.uninspected == ()
    assert apis.emitted(made).content == b'[{"id":0,"scale":0.5}]'
    for wrong in (b'{"id": 0}', b'[{"id": 0, "scale": "1"}]', b'[{"id": 0, "scale": 1, "path": "x"}]', b"[1]", b"x"):
        with pytest.raises(Refusal):
            apis.asked(found, "/lora-adapters", wrong, "application/json")


PLANTED = "ask bob@example.org now"


def _minimal(order: Order) -> JsonObject:
    key = next((key for key in order.model if key not in order.query), None)
    return {key: "tiny"} if key is not None else {}


def _path(order: Order) -> str:
    digest = "sha256:" + "a" * 64
    path = order.path.replace("{model}", digest if "blobs" in order.path else "tiny")
    query = (
        "?model_version=tiny" if "model_version" in order.query else "?model=tiny" if order.query.get("model") else ""
    )
    return re.sub(r"\{\w+\}", "x1", path) + query


EVERY = [(api, order) for api in ORDERS for order in api.orders]


@pytest.mark.parametrize(("api", "order"), EVERY, ids=lambda each: getattr(each, "path", ""))
def test_no_text_of_an_order_goes_unread(api: Orders, order: Order) -> None:
    found = apis.recognise(order.method, _path(order))
    if order.bodies != ("json",):
        return
    kinds = {**order.takes, **dict.fromkeys([*order.texts, "unheard_of"], STRING | LIST | OBJECT)}
    for key, types in kinds.items():
        values: list[Json] = []
        values += [PLANTED] if str in types else []
        values += [[PLANTED], [{"role": PLANTED}]] if list in types else []
        values += [{"inner": PLANTED}, {PLANTED: 1}] if dict in types else []
        for value in values:
            made = found.api.call(found.route, _path(order), {**_minimal(order), key: value})
            assert PLANTED in [turn.text for turn in made.turns], (order.path, key, value)


@given(st.sampled_from([each for each in EVERY if each[1].bodies == ("json",)]), st.data())
def test_whatever_is_said_an_order_is_read_or_refused(chosen: tuple[Orders, Order], data: st.DataObject) -> None:
    api, order = chosen
    known = [*order.takes, *order.texts, *order.model, *order.others, "unheard_of"]
    leaves = st.none() | st.booleans() | st.integers(-5, 5) | st.text("a:/-@ \u017f", max_size=6)
    values = st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner)
    )
    body = data.draw(st.dictionaries(st.sampled_from(known), values, max_size=4))
    try:
        made = api.call(order.route(), _path(order), {**_minimal(order), **body})
    except Refusal:
        return
    assert made.operation == order.operation and made.unusual <= made.parameters.keys()
    assert api.with_body(made, made.body or {}) == made


def test_what_is_declared_holds_together() -> None:
    for api in ORDERS:
        for order in api.orders:
            named = {*order.takes, *order.texts, *order.query}
            assert set(order.unusual) <= named, (order.path, set(order.unusual) - named)
            keys = [*order.takes, *order.texts, *order.others, *(key for key in order.model if key not in order.query)]
            assert len(keys) == len(set(keys)) and not set(keys) & order.query.keys(), order.path


def test_an_order_stands_there_once() -> None:
    order = Order("GET", "/x", Operation.LIST)
    with pytest.raises(AssertionError):
        own(order, order)


def test_the_parameters_of_a_body_are_its_keys() -> None:
    assert METRICS.parameters({"a": 1, "b": None, "c": []}) == {"a": 1}


def test_numbers_and_strings_of_a_query_are_told_apart() -> None:
    api = own(Order("GET", "/x", Operation.LIST, query={"n": INT, "f": NUMBER, "b": BOOL, "s": STRING}))
    made = api.call(api.routes[0], "/x?n=-3&f=2&b=TRUE&s=http%3A//a.example/b", None)
    assert made.parameters == {"n": -3, "f": 2, "b": True, "s": "http://a.example/b"}


# Replies


def test_the_progress_of_an_order_ends_when_the_server_says_so() -> None:
    reader = apis.by_name("ollama.library").reader(call("/api/pull", {"model": "llama3"}))
    assert reader.framing == "ndjson" and not reader.unterminated
    going = reader.read({"status": "pulling manifest"}, Reply(), strip=False)
    assert not going.done and [piece.mode for piece in going.pieces] == ["unit"]
    assert reader.read({"status": "success"}, Reply(), strip=False).done
    assert reader.read({"error": "no"}, Reply(), strip=False).error


def test_progress_without_a_last_word_just_ends() -> None:
    reader = apis.by_name("tabby.server").reader(Call("tabby.server", Operation.LOAD, "m"))
    assert reader.framing == "sse" and reader.unterminated
    assert not reader.read({"status": "finished"}, Reply(), strip=False).done
    with pytest.raises(UnreadableError):
        reader.carry(None, "x")  # type: ignore[arg-type]


def test_every_string_of_progress_is_complete_in_itself() -> None:
    reading = OrderReader(apis.OPENAI).read({"note": "a b", "more": [{"deep": "c d"}]}, Reply(), strip=False)
    assert [(piece.text, piece.mode) for piece in reading.pieces] == [("a b", "unit"), ("c d", "unit")]


def test_a_servers_own_keys_are_not_shown() -> None:
    document: JsonObject = {
        "api_key": "sk-1",
        "args": [{"admin_api_key": "sk-2", "ssl_keyfile_password": "x", "hf_token": "t", "api_keys": ["a"]}],
        "tokenizer_path": "tiny",
        "max_total_num_tokens": 5,
        "api_key_hash": None,
    }
    reading = OrderReader(apis.OPENAI).read(document, Reply(), strip=False)
    assert reading.edited
    assert document == {
        "api_key": None,
        "args": [{"admin_api_key": None, "ssl_keyfile_password": None, "hf_token": None, "api_keys": None}],
        "tokenizer_path": "tiny",
        "max_total_num_tokens": 5,
        "api_key_hash": None,
    }
    assert not hide_secrets(document)


def test_metrics_are_one_text() -> None:
    reader = METRICS.reader(bare("/metrics"))
    assert {"text/plain", "application/openmetrics-text"} <= reader.plain


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/models/secret?min_worker=1", {"model": "granted"}),
        ("PUT", "/models/secret/2.0/set-default", {"version": "1.0"}),
        ("POST", "/slots/3?action=restore", {"action": "erase"}),
        ("POST", "/slots/3?action=restore", {"ACTION": "erase"}),
        ("POST", "/v2/repository/models/secret/unload", {"model": "granted"}),
        ("POST", "/wakeup?tags=weights", {"tags": "cache"}),
    ],
)
def test_a_body_cannot_say_again_what_the_path_or_the_query_says(method: str, path: str, body: JsonObject) -> None:
    """The server takes it from there: judged from the body, a call would be about another model."""
    with pytest.raises(Refusal) as caught:
        call(path, body, method)
    assert "in the path or the query" in caught.value.message
