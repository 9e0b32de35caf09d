"""Forms are read in one way or refused, and what is forwarded is what was read."""

from __future__ import annotations

import email
import email.policy
import io
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.formparser import parse_form_data

from penstock.apis.bodies import CODECS, choose
from penstock.apis.wire.codec import Emitted
from penstock.apis.wire.forms import MAX_HEAD, MAX_PARTS, Fields, FormCodec, RawCodec, boundary_of, media_type
from penstock.errors import Refusal
from penstock.exchange import Blob, Json, JsonObject

FORM = FormCodec()
B = "----x1y2"
TYPE = f"multipart/form-data; boundary={B}"
WAV = b"RIFF\x00\xff--\r\n--\r\n\r\n"


def part(content: bytes = b"tiny", head: str = 'Content-Disposition: form-data; name="model"') -> bytes:
    return f"--{B}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"


def form(*parts: bytes, end: bytes = b"--\r\n") -> bytes:
    return b"".join(parts) + f"--{B}".encode() + end


def read(content: bytes, content_type: str | None = TYPE) -> JsonObject:
    return FORM.read(content, content_type, {})


def reread(emitted: Emitted) -> JsonObject:
    return FORM.read(emitted.content, emitted.content_type, {})


def refusal(content: bytes, content_type: str | None = TYPE) -> str:
    with pytest.raises(Refusal) as found:
        read(content, content_type)
    assert found.value.code == "invalid_request"
    return found.value.message


def upload(name: str = "file", filename: str = "a.wav", kind: str = "audio/wav", data: bytes = WAV) -> bytes:
    return part(data, f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: {kind}')


def blob(data: bytes = WAV, filename: str = "a.wav", kind: str = "audio/wav") -> JsonObject:
    return {"filename": filename, "content_type": kind, "data": Blob(data)}


def test_fields_are_texts_and_files_are_objects_with_a_digest() -> None:
    body = read(form(part(), part("Zoë\n".encode(), 'Content-Disposition: form-data; name="prompt"'), upload()))
    assert isinstance(body, Fields)
    assert body == {"model": "tiny", "prompt": "Zoë\n", "file": blob()}
    file = body["file"]
    assert isinstance(file, dict) and isinstance(file["data"], Blob) and file["data"].data == WAV


def test_a_name_that_is_there_more_than_once_makes_a_list() -> None:
    head = 'Content-Disposition: form-data; name="include[]"'
    body = read(
        form(part(b"a", head), part(), part(b"b", head), part(b"c", head), upload("image[]"), upload("image[]"))
    )
    assert body["include[]"] == ["a", "b", "c"]
    assert body["image[]"] == [blob(), blob()]


def test_an_empty_form_has_no_fields() -> None:
    assert read(form()) == {}


@pytest.mark.parametrize("end", [b"--", b"--\r\n"])
def test_the_last_line_may_lack_its_end(end: bytes) -> None:
    assert read(form(part(), end=end)) == {"model": "tiny"}


@pytest.mark.parametrize(
    "head",
    [
        'content-disposition: FORM-DATA; name="model"',
        "Content-Disposition:form-data;name=model",
        'Content-Disposition: form-data; name="model"  ',
        'Content-Type: text/plain; charset="UTF-8"\r\nContent-Disposition: form-data; name="model"',
        'Content-Disposition: form-data; name="model"\r\nContent-Type: text/plain',
        'Content-Disposition: form-data; name="model"\r\nContent-Transfer-Encoding: 8bit\r\nContent-Length: 4',
    ],
)
def test_what_real_clients_write_beside_the_name_is_read(head: str) -> None:
    assert read(form(part(head=head))) == {"model": "tiny"}


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ('form-data; name="file"; filename="ü 100%.wav"', "ü 100%.wav"),
        ("form-data; name=file; filename=a.wav; filename*=utf-8''a.wav", "a.wav"),
        ('form-data; filename="a b.wav"; name="file"; filename*=UTF-8\'\'a%20b.wav', "a b.wav"),
    ],
)
def test_names_of_files_are_read(head: str, name: str) -> None:
    body = read(form(part(WAV, f"Content-Disposition: {head}")))
    assert body == {"file": blob(filename=name, kind="")}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "does not begin"),
        (b"\r\n" + form(part()), "does not begin"),
        (b"preamble\r\n" + form(part()), "does not begin"),
        (form(part(), end=b"--\r\nepilogue"), "does not end"),
        (form(part(), end=b"-- \r\n"), "does not end"),
        (form(part(), end=b"\r\n"), "does not end"),
        (part(), "does not end"),
        (form(part()).replace(b"\r\n", b"\n"), "does not end"),
        (form(part(b"a\r\n--" + B.encode() + b"--\r\n")), "line of its own"),
        (form(part(b"a\r\n--" + B.encode() + b"z")), "line of its own"),
        (form(part(), part()).replace(B.encode() + b"\r\n", B.encode() + b" \r\n"), "line of its own"),
        (form(*[part()] * (MAX_PARTS + 1)), "more than"),
        (form(f"--{B}\r\n".encode() + b"no headers\r\n"), "no headers"),
        (form(f"--{B}\r\n\r\ntext\r\n".encode()), "no headers"),
        (form(part(head="X: " + "y" * MAX_HEAD)), "too long"),
        (form(part(head='Content-Disposition: form-data;\r\n name="model"')), "folded"),
        (form(part(head='Content-Disposition: form-data; name="model"\r\nX-Y')), "folded"),
        (form(part(head='Content-Disposition: form-data; name="mo\ndel"')), "control character"),
        (form(part(head='Content-Disposition: form-data; name="mo\rdel"')), "control character"),
        (form(part(head='Content-Disposition: form-data; name="model\x00"')), "control character"),
        (form(part(head='Content-Disposition : form-data; name="model"')), "control character"),
        (form(part(head='Content-Disposition: form-data; name="m"\r\ncontent-disposition: x')), "twice"),
        (form(part(head='Content-Disposition: form-data; name="m"\r\nX-Prompt: hi')), "not understood"),
        (form(part(head='Content-Disposition: form-data; name="m"\r\nContent-Transfer-Encoding: base64')), "transfer"),
        (form(part(head='Content-Disposition: form-data; name="m"\r\nContent-Length: 3')), "length"),
        (form(part(head='Content-Disposition: form-data; name="m"\r\nContent-Type: application/json')), "text of another"),
        (form(part(head='Content-Disposition: form-data; name="m"\r\nContent-Type: text/plain; charset=utf-16')), "text of"),
        (form(part(head="Content-Disposition: form-data")), "needs the header"),
        (form(part(head="Content-Type: text/plain")), "needs the header"),
        (form(part(head='Content-Disposition: attachment; name="m"')), "needs the header"),
        (form(part(head="Content-Disposition: form-data; x=y")), "not understood"),
        (form(part(head='Content-Disposition: form-data; name="a"; name="b"')), "not understood"),
        (form(part(head='Content-Disposition: form-data; name="a\\"b"')), "not understood"),
        (form(part(head='Content-Disposition: form-data; name="a" junk')), "not understood"),
        (form(part(head="Content-Disposition: form-data; name*=utf-8''model")), "not understood"),
        (form(part(head='Content-Disposition: form-data; name=""')), "needs a name"),
        (form(part(head='Content-Disposition: form-data; name="mödel"')), "needs a name"),
        (form(part(head='Content-Disposition: form-data; name="_charset_"')), "needs a name"),
        (form(upload(filename="")), "file name"),
        (form(upload(filename="../../etc/passwd")), "file name"),
        (form(upload(filename="..")), "file name"),
        (form(upload(filename="a\\b.wav")), "not understood"),
        (form(upload(filename="a\u202ewav.exe")), "file name"),
        (form(upload(filename="x" * 256)), "file name"),
        (form(part(head="Content-Disposition: form-data; name=file; filename=a.wav; filename*=utf-8''b.wav")), "two file"),
        (form(part(head="Content-Disposition: form-data; name=file; filename*=utf-8''b.wav")), "two file"),
        (form(part(head="Content-Disposition: form-data; name=file; filename=a; filename*=latin-1''a")), "two file"),
        (form(upload(kind="multipart/mixed; boundary=z")), "media type"),
        (form(upload(kind="message/rfc822")), "media type"),
        (form(upload(kind="audio")), "media type"),
        (form(part(b"\xff\xfe")), "not UTF-8"),
        (form(part(b"a\0b")), "NUL"),
        (form(part(head='Content-Disposition: form-data; name="m\xff"').replace("ÿ".encode(), b"\xff")), "not UTF-8"),
        (form(part(head='Content-Disposition: form-data; name="file"'), upload()), "in one place"),
        (form(upload(), part(head='Content-Disposition: form-data; name="file"')), "in one place"),
    ],
)  # fmt: skip
def test_what_two_readers_could_read_in_two_ways_is_refused(content: bytes, why: str) -> None:
    assert why in refusal(content)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "multipart/mixed; boundary=x",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary="a b"',
        "multipart/form-data; boundary=" + "x" * 71,
        f"multipart/form-data; boundary={B}; boundary={B}",
        f"multipart/form-data; boundary={B}; charset=utf-16",
        f"multipart/form-data; boundary={B}; x=y",
        f"multipart/form-data; boundary={B}; x",
        f"multipart/form-data, application/json; boundary={B}",
    ],
)
def test_a_content_type_names_one_boundary_and_nothing_else(content_type: str | None) -> None:
    refusal(form(part()), content_type)


def test_boundaries_may_stand_in_quotes_and_beside_a_charset() -> None:
    assert boundary_of('multipart/form-data; boundary="a:b"') == b"a:b"
    assert boundary_of("Multipart/Form-Data; charset=UTF-8; Boundary=ab") == b"ab"


# What is forwarded


def test_a_form_is_written_with_a_boundary_and_headers_of_our_own() -> None:
    body = read(form(part(head='Content-Disposition: form-data; name="model"\r\nContent-Length: 4'), upload()))
    made = FORM.emit(body)
    assert made == FORM.emit(dict(body))
    boundary = made.content_type.removeprefix("multipart/form-data; boundary=").encode()
    assert re.fullmatch(rb"penstock-[0-9a-f]{40}", boundary)
    assert made.content == (
        b"--" + boundary + b'\r\nContent-Disposition: form-data; name="model"\r\n\r\ntiny\r\n'
        b"--" + boundary + b'\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
        b"Content-Type: audio/wav\r\n\r\n" + WAV + b"\r\n--" + boundary + b"--\r\n"
    )
    assert made.headers == ()
    assert FORM.emit({**body, "model": "other"}).content_type != made.content_type


def test_numbers_booleans_and_lists_are_written_in_one_way() -> None:
    body: JsonObject = {"temperature": 0.5, "n": 2, "stream": True, "include[]": ["a", "b"], "seed": None}
    assert reread(FORM.emit(body)) == {"temperature": "0.5", "n": "2", "stream": "true", "include[]": ["a", "b"]}


def test_no_part_can_hold_its_own_boundary() -> None:
    first = FORM.emit({"a": "x"}).content_type.partition("=")[2]
    made = FORM.emit({"a": first})
    assert reread(made) == {"a": first}


@pytest.mark.parametrize(
    "body",
    [
        {"a": {"b": 1}},
        {"a b": "x"},
        {"a": {"filename": 'x"y', "content_type": "", "data": Blob(b"")}},
        {"a": {"filename": "x\r\ny", "content_type": "", "data": Blob(b"")}},
        {"a": {"filename": "x", "content_type": "", "data": "text"}},
        {"a": [["x"]]},
    ],
)
def test_what_is_no_field_is_never_written(body: JsonObject) -> None:
    with pytest.raises(Refusal):
        FORM.emit(body)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
NAMES = st.from_regex(r"[a-z_]{1,12}(\[\])?", fullmatch=True).filter(lambda name: name != "_charset_")
FILENAMES = (
    st.text(max_size=30)
    .filter(lambda name: name.isprintable() and name and not set(name) & set('"\\/'))
    .filter(lambda name: name not in (".", ".."))
)
FILES = st.builds(
    blob, st.binary(max_size=60) | st.just(b"--" + B.encode()), FILENAMES, st.sampled_from(["", "audio/wav", "a/b+c"])
)
BODIES = st.dictionaries(NAMES, TEXTS | FILES | st.lists(TEXTS, min_size=2, max_size=3), max_size=6)


@given(BODIES)
def test_what_is_written_is_read_again_as_it_was(body: JsonObject) -> None:
    assert reread(FORM.emit(body)) == body


@given(BODIES)
def test_other_readers_read_the_same_in_it(body: JsonObject) -> None:
    made = FORM.emit(body)
    assert by_email(made) == [(name, data) for name, _, data in pairs(body)]
    assert sorted(by_werkzeug(made)) == sorted(pairs(body))


@given(st.binary(max_size=200) | st.lists(st.sampled_from([part(), upload(), b"\r\n", b"--", B.encode(), b"\r\n\r\n"]), max_size=8).map(b"".join))  # fmt: skip
def test_no_bytes_make_it_fail_otherwise_than_by_refusing(content: bytes) -> None:
    try:
        body = read(content)
    except Refusal:
        return
    assert reread(FORM.emit(body)) == body


def pairs(body: JsonObject) -> list[tuple[str, str, bytes]]:
    found = []
    for name, value in body.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                data = item["data"]
                assert isinstance(data, Blob)
                found.append((name, str(item["filename"]), data.data))
            else:
                found.append((name, "", str(item).encode()))
    return found


def by_email(made: Emitted) -> list[tuple[str, bytes]]:
    raw = f"Content-Type: {made.content_type}\r\n\r\n".encode() + made.content
    message: Any = email.message_from_bytes(raw, policy=email.policy.HTTP)
    if not message.is_multipart():
        return []
    found = message.get_payload()
    return [(each.get_param("name", header="content-disposition"), each.get_payload(decode=True)) for each in found]


def by_werkzeug(made: Emitted) -> Iterable[tuple[str, str, bytes]]:
    environ = {
        "wsgi.input": io.BytesIO(made.content),
        "CONTENT_LENGTH": str(len(made.content)),
        "CONTENT_TYPE": made.content_type,
        "REQUEST_METHOD": "POST",
    }
    _, fields, files = parse_form_data(environ)
    texts = [(name, "", value.encode()) for name, value in fields.items(multi=True)]
    return texts + [(name, file.filename or "", file.read()) for name, file in files.items(multi=True)]


# Real clients


def test_what_httpx_and_openai_s_client_write_is_read() -> None:
    made = httpx.Request(
        "POST", "http://m", data={"model": "tiny", "include[]": ["a", "b"]}, files={"file": ("ä.wav", WAV, "audio/wav")}
    )
    body = FORM.read(made.read(), made.headers["content-type"], {})
    assert body == {"model": "tiny", "include[]": ["a", "b"], "file": blob(filename="ä.wav")}


def test_what_requests_writes_is_read() -> None:
    made = requests.Request("POST", "http://m", data={"model": "tiny"}, files={"file": ("a.wav", WAV)}).prepare()
    assert isinstance(made.body, bytes)
    body = FORM.read(made.body, str(made.headers["content-type"]), {})
    assert body == {"model": "tiny", "file": blob(kind="")}


def test_what_curl_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)
    import http.server
    import threading

    seen: list[tuple[str, bytes]] = []

    class Once(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append((self.headers["content-type"], self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Once) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        command = [
            "curl",
            "-s",
            "--noproxy",
            "*",
            "-F",
            "model=tiny",
            "-F",
            f"file=@{tmp_path / 'a.wav'};type=audio/wav",
        ]
        subprocess.run([*command, f"http://127.0.0.1:{server.server_port}/"], check=True, timeout=20)
        thread.join()
    ((kind, content),) = seen
    assert FORM.read(content, kind, {}) == {"model": "tiny", "file": blob()}


# Plain bytes


def test_plain_bytes_pass_as_they_are() -> None:
    body = RawCodec().read(WAV, "Audio/WAV; rate=8000", {})
    assert body == {"content_type": "audio/wav", "data": Blob(WAV)}
    assert RawCodec().emit(body) == Emitted("audio/wav", (), WAV)


@pytest.mark.parametrize(
    ("content", "kind"), [(b"", "audio/wav"), (b"x", None), (b"x", "audio"), (b"x", "multipart/x")]
)
def test_plain_bytes_need_a_type(content: bytes, kind: str | None) -> None:
    with pytest.raises(Refusal):
        RawCodec().read(content, kind, {})


def test_what_are_no_plain_bytes_are_not_written_as_such() -> None:
    bad: Json = "text"
    with pytest.raises(Refusal):
        RawCodec().emit({"content_type": "a/b", "data": bad})


def test_the_content_type_tells_a_form_from_json() -> None:
    assert choose(("json", "form"), TYPE) == "form"
    assert choose(("json", "form"), "application/json") == "json"
    assert CODECS["form"].media == {"multipart/form-data"} and not CODECS["raw"].media
    assert media_type("Audio/Webm; codecs=opus") == "audio/webm"
