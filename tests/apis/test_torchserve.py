from __future__ import annotations

import pytest

from penstock import apis
from penstock.apis.torchserve.errors import TORCHSERVE
from penstock.apis.torchserve.predictions import PredictionReader
from penstock.errors import Refusal
from penstock.exchange import Call, Operation
from tests.apis.calls import call, said
from tests.masking.replies import MASK, reply_mask

PATH = "/predictions/tiny"
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nmail a@b.example\r\n'
    b'--x\r\nContent-Disposition: form-data; name="data"; filename="my cat.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n'
    b'--x\r\nContent-Disposition: form-data; name="max_tokens"\r\n\r\n900\r\n--x--\r\n'
)


def asked(content: bytes, content_type: str, method: str = "POST", path: str = PATH) -> Call:
    return apis.asked(apis.recognise(method, path), path, content, content_type)


def test_json_is_read_whatever_the_handler_makes_of_it() -> None:
    made = call("/predictions/tiny/1.0", {"data": ["a", {"b": "c"}], "prompt": "d", "own": "e", "odd key": 1})
    assert (made.api, made.operation, made.model) == ("torchserve.predictions", Operation.INFER, "tiny")
    assert [text for _, text in said(made)] == ["a", "c", "d", "e", "odd key"]
    assert made.parameters["model_version"] == "1.0" and made.unusual == {"own", "odd key"}
    assert call(PATH, {"data": [1, 2, 3]}).uninspected == ("tensor",)
    with pytest.raises(Refusal):
        call(PATH, {"Data": "x"})


def test_fields_of_a_form_are_texts_and_its_files_need_a_grant() -> None:
    made = asked(FORM, "multipart/form-data; boundary=x")
    assert made.encoding == "form" and made.uninspected == ("image",)
    assert ("user", "mail a@b.example") in said(made) and ("other", "my cat.png") in said(made)
    assert made.parameters["max_tokens"] == "900"
    masked = apis.with_texts(made, {("text",): "mail [EMAIL]"})
    assert b"mail [EMAIL]" in apis.emitted(masked).content and b"\x89PNG" in apis.emitted(masked).content


def test_several_files_of_one_name_are_files() -> None:
    form = FORM.replace(b'name="text"', b'name="data"; filename="a.bin"').replace(b'name="max_tokens"', b'name="id"')
    made = asked(form, "multipart/form-data; boundary=x")
    assert set(made.uninspected) == {"file", "image"}


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [("image/jpeg", "image"), ("audio/wav", "audio"), ("text/plain", "file"), ("application/octet-stream", "file")],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_body_of_bytes_needs_a_grant(content_type: str, kind: str, method: str) -> None:
    made = asked(b"\xff\xd8", content_type, method, "/explanations/tiny")
    assert made.uninspected == (kind,) and made.turns == () and apis.emitted(made).content == b"\xff\xd8"


def test_a_workflow_is_named_like_a_model() -> None:
    assert call("/wfpredict/flow", {"data": "x"}).model == "flow"


def test_a_reply_passes_as_what_was_granted() -> None:
    reader = PredictionReader(("image", "tensor"))
    assert reply_mask(reader).whole(200, "image/png", b"\x89PNG") == b"\x89PNG"
    with pytest.raises(Refusal):
        reply_mask(PredictionReader(())).whole(200, "image/png", b"\x89PNG")
    with pytest.raises(Refusal):
        reply_mask(PredictionReader(("image",))).whole(200, "audio/wav", b"RIFF")


def test_a_text_without_a_media_type_is_masked() -> None:
    for content_type in ("", "text/plain; charset=utf-8"):
        out = reply_mask(PredictionReader(())).whole(200, content_type, b'{"to": "bob@example.org"}')
        assert out == MASK.whole('{"to": "bob@example.org"}').text.encode() != b'{"to": "bob@example.org"}'


@pytest.mark.parametrize(
    ("method", "path", "operation", "model"),
    [
        ("GET", "/models/tiny", Operation.SHOW, "tiny"),
        ("GET", "/models/tiny/1.0?customized=true", Operation.SHOW, "tiny"),
        ("PUT", "/models/tiny?min_worker=2&synchronous=true", Operation.CONFIGURE, "tiny"),
        ("PUT", "/models/tiny/2.0/set-default", Operation.CONFIGURE, "tiny"),
        ("DELETE", "/models/tiny/2.0", Operation.UNLOAD, "tiny"),
        ("GET", "/api-description", Operation.LIST, None),
        ("OPTIONS", "/predictions/tiny", Operation.SHOW, "tiny"),
    ],
)
def test_management_is_an_operation_of_its_own(method: str, path: str, operation: Operation, model: str | None) -> None:
    made = apis.asked(apis.recognise(method, path), path, b"", None)
    assert (made.api, made.operation, made.model) == ("torchserve.models", operation, model)


def test_its_callers_read_the_message_of_a_refusal() -> None:
    refusal = Refusal("policy_violation", "No.")
    document = b'{"code":403,"type":"policy_violation","message":"No."}'
    assert TORCHSERVE.error(refusal, "") == ("application/json", document)
    assert TORCHSERVE.event(refusal, "") == b"data: " + document + b"\n\n"


def test_limits_inside_the_inputs_are_judged() -> None:
    made = call("/predictions/m", {"data": {"prompt": "a", "max_new_tokens": 777}})
    assert made.parameters == {"max_tokens": 777}
