"""Documents are read from where we asked, whole, small and soon; over real sockets on loopback."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from penstock.identity.fetch import HttpFetch, Unreachable, admitted

type Serve = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """A server that answers each request by hand; gives its base URL."""

    serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving[task] = writer
        with suppress(ConnectionError):
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            await serve(request, writer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task, writer in serving.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*serving, return_exceptions=True)


def answer(body: bytes, status: str = "200 OK", *headers: str) -> Serve:
    async def serve(_: str, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    return serve


@pytest.fixture
async def fetch() -> AsyncIterator[HttpFetch]:
    fetch = HttpFetch(seconds=5, max_bytes=1000)
    yield fetch
    await fetch.close()
    await fetch.close()


async def test_a_document_is_read_whole(fetch: HttpFetch) -> None:
    async with serving(answer(b"x" * 1000)) as url:
        assert await fetch(url) == b"x" * 1000


async def test_the_request_asks_for_plain_json(fetch: HttpFetch) -> None:
    asked = []

    async def serve(request: str, writer: asyncio.StreamWriter) -> None:
        asked.append(request.lower())
        await answer(b"{}")(request, writer)

    async with serving(serve) as url:
        await fetch(url)
    assert "accept: application/json" in asked[0] and "accept-encoding: identity" in asked[0]
    assert "python" not in asked[0] and "httpx" not in asked[0]


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "204 No Content", "401 No", "206 Partial Content"])
async def test_another_status_is_no_document(status: str, fetch: HttpFetch) -> None:
    async with serving(answer(b"", status)) as url:
        with pytest.raises(Unreachable, match=status[:3]):
            await fetch(url)


async def test_a_document_that_is_too_long_is_not_read_on(fetch: HttpFetch) -> None:
    async with serving(answer(b"x" * 1001)) as url:
        with pytest.raises(Unreachable, match="more than 1000 bytes"):
            await fetch(url)


async def test_an_endless_document_is_not_read_on(fetch: HttpFetch) -> None:
    async def serve(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _round in range(100):
            writer.write(b"64\r\n" + b"x" * 100 + b"\r\n")

    async with serving(serve) as url:
        with pytest.raises(Unreachable, match="more than 1000 bytes"):
            await fetch(url)


async def test_a_compressed_document_is_not_unpacked(fetch: HttpFetch) -> None:
    bomb = gzip.compress(b"x" * 500_000)
    async with serving(answer(bomb, "200 OK", "Content-Encoding: gzip")) as url:
        with pytest.raises(Unreachable, match="encoding"):
            await fetch(url)


async def test_a_redirect_on_the_same_host_is_followed(fetch: HttpFetch) -> None:
    async def serve(request: str, writer: asyncio.StreamWriter) -> None:
        there = request.startswith("GET /there ")
        await (answer(b"{}") if there else answer(b"", "302 Found", "Location: /there"))(request, writer)

    async with serving(serve) as url:
        assert await fetch(url + "/here") == b"{}"


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1/", "https://127.0.0.1/", "http://localhost/", "//evil.example/"]
)
async def test_a_redirect_to_another_host_is_not_followed(target: str, fetch: HttpFetch) -> None:
    async with serving(answer(b"", "302 Found", f"Location: {target}")) as url:
        with pytest.raises(Unreachable, match="another host"):
            await fetch(url)


async def test_redirects_end(fetch: HttpFetch) -> None:
    async with serving(answer(b"", "302 Found", "Location: /again")) as url:
        with pytest.raises(Unreachable, match="too many redirects"):
            await fetch(url)


async def test_a_provider_that_does_not_answer_is_not_waited_for() -> None:
    async def serve(request: str, writer: asyncio.StreamWriter) -> None:
        if "hang" in request:
            await asyncio.Event().wait()
        await answer(b"{}")(request, writer)

    fetch = HttpFetch(seconds=0.5)
    async with serving(serve) as url:
        await fetch(url)
        with pytest.raises(Unreachable, match=r"no whole answer within 0\.5 s"):
            await fetch(url + "/hang")
    await fetch.close()


async def test_nobody_there_is_unreachable(fetch: HttpFetch) -> None:
    async with serving(answer(b"")) as url:
        pass
    with pytest.raises(Unreachable, match="connect"):
        await fetch(url)


async def test_an_answer_that_is_not_http_is_unreachable(fetch: HttpFetch) -> None:
    async def serve(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n")

    async with serving(serve) as url:
        with pytest.raises(Unreachable):
            await fetch(url)


async def test_a_proxy_of_the_environment_never_sees_loopback(
    fetch: HttpFetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with serving(answer(b"{}")) as url:
        assert await fetch(url) == b"{}"


@pytest.mark.parametrize(
    "url",
    [
        "https://idp.example",
        "https://idp.example:8443/realms/x?p=1",
        "http://127.0.0.1:8080/",
        "http://localhost:1",
        "http://127.8.8.8:1",
        "http://[::1]:1/x",
    ],
)
def test_keys_may_come_from(url: str) -> None:
    assert admitted(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "idp.example",
        "http://idp.example",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "http://127.1/",
        "http://2130706433/",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
        "http://127.0.0.1@evil.example/",
        "https://user:pass@idp.example/",
        "https:///keys",
        "https://idp.example/#x",
        "https://idp.example:port/",
        "https://[::1",
        "https://idp.example/\n",
        "https://idp\u3002example/",
        "file:///etc/passwd",
        "ftp://idp.example/",
        "//idp.example/",
    ],
)
def test_keys_may_not_come_from(url: str) -> None:
    assert not admitted(url)
