"""A real OpenID provider (npm `oidc-provider`) on loopback, installed on demand, for tests from end to end.

    with OidcProvider(accounts={"alice": ["staff"]}) as idp:
        issuer = idp.issuer                        # plain http on 127.0.0.1
        token = idp.token(groups=["staff"])        # client credentials; an RFC 9068 access token, aud `penstock`
        idp.rotate()                               # new signing keys
        with idp.outage(): ...                     # nobody listens; the same keys afterwards
        idp.stop(); idp.start()                    # another process on the same port, with other keys

Everything is synchronous and blocks: from a coroutine call it through `asyncio.to_thread`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import re
import select
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urljoin

import httpx

_HERE: Final = Path(__file__).parent / "oidc"
_HOME: Final = Path(__file__).parents[2] / ".tools" / "oidc"
_DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_START: Final = 30.0
"""Seconds until the provider must be ready; RSA keys take a while on a busy machine."""


def install() -> Path:
    """The provider's script beside its packages; they are installed when they are missing or others are wanted."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise RuntimeError(f"{tool} is missing: the tests need Node.js 20.12 or later, with npm")
    _HOME.mkdir(parents=True, exist_ok=True)
    wanted = (_HERE / "package.json").read_text()
    installed = _HOME / "installed.json"
    with (_HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.exists() or installed.read_text() != wanted:
            (_HOME / "package.json").write_text(wanted)
            command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
            done = subprocess.run(command, cwd=_HOME, capture_output=True, text=True, timeout=300)
            if done.returncode:
                raise RuntimeError(f"npm install failed: {done.stderr.strip()[-800:]}")
            installed.write_text(wanted)
        script = (_HERE / "provider.mjs").read_text()
        place = _HOME / "provider.mjs"
        if not place.exists() or place.read_text() != script:
            place.write_text(script)
    return place


class OidcProvider:
    """The provider as a process; a context manager."""

    def __init__(
        self,
        *,
        clients: Sequence[str] = ("service",),
        accounts: Mapping[str, Sequence[str]] | None = None,
        audience: str = "penstock",
        port: int = 0,
    ) -> None:
        """`clients` may use client credentials; `accounts` are people and their groups, for the device flow."""
        self._options = {"clients": list(clients), "accounts": dict(accounts or {}), "audience": audience}
        self._port = port
        self._process: subprocess.Popen[str] | None = None
        self._web = httpx.Client(trust_env=False, timeout=30, headers={"connection": "close"})
        self.issuer = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.stop()
        self._web.close()

    def start(self) -> None:
        """Start the process; a second time on the port that it had before, with other keys."""
        options = json.dumps({**self._options, "port": self._port})
        script = install()
        self._process = subprocess.Popen(
            ["node", str(script), options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(script.parent / "provider.log").open("a"),
            text=True,
        )
        self.issuer = str(self._answer()["ready"])
        self._port = int(self.issuer.rsplit(":", 1)[1])

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                assert stream is not None
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
            self._process = None

    def rotate(self, *, keep: bool = False) -> None:
        """Sign with new keys from now on; `keep` leaves the old ones in the key set."""
        self._do("rotate", keep=keep)

    @contextlib.contextmanager
    def outage(self) -> Iterator[None]:
        """Nobody listens meanwhile."""
        self._do("down")
        try:
            yield
        finally:
            self._do("up")

    def token(self, client: str = "service", groups: Sequence[str] = (), *, alg: str = "RS256", ttl: int = 300) -> str:
        """An access token by client credentials, `sub` and `client_id` being the client; `typ` is `at+jwt`."""
        form = {"grant_type": "client_credentials", "groups": ",".join(groups), "alg": alg, "ttl": str(ttl)}
        return str(self.ask("/token", form, auth=(client, f"{client}-secret"))["access_token"])

    def device_token(self, account: str, *, scope: str = "openid models") -> dict[str, Any]:
        """The token endpoint's answer to a device flow (RFC 8628) in which a person signs in and consents."""
        begun = self.ask("/device/auth", {"client_id": "cli", "scope": scope})
        form = {"grant_type": _DEVICE_GRANT, "client_id": "cli", "device_code": begun["device_code"]}
        pending = self._web.post(f"{self.issuer}/token", data=form)
        assert pending.json()["error"] == "authorization_pending"
        self._sign_in(str(begun["verification_uri_complete"]), account)
        return self.ask("/token", form)

    def ask(self, path: str, form: Mapping[str, str], **more: Any) -> dict[str, Any]:
        """POST a form; the JSON of a good answer."""
        answer = self._web.post(self.issuer + path, data=form, **more)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
        body: dict[str, Any] = answer.json()
        return body

    def _sign_in(self, url: str, account: str) -> None:
        """Fill in each form that the provider shows, as a person's browser would."""
        with httpx.Client(trust_env=False, timeout=30, follow_redirects=True) as browser:
            page = browser.get(url)
            for _ in range(8):
                form = _form(page.text)
                if form is None:
                    break
                action, fields = form
                fields |= {name: account for name in ("login", "password") if name in fields}
                page = browser.post(urljoin(str(page.url), action), data=fields)
            if "Sign-in Success" not in page.text:
                raise RuntimeError(f"the device flow ended at {page.url}: {page.text[:300]}")

    def _do(self, command: str, **more: Any) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": command, **more}) + "\n")
        self._process.stdin.flush()
        assert self._answer() == {"done": command}

    def _answer(self) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _START)
        line = self._process.stdout.readline() if ready else ""
        if not line:
            raise RuntimeError(f"the OpenID provider does not answer; see {_HOME / 'provider.log'}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _form(page: str) -> tuple[str, dict[str, str]] | None:
    """The action and the fields of a page's form, if it has one."""
    form = re.search(r"<form[^>]*\baction=\"([^\"]+)\"[^>]*>(.*?)</form>", page, re.DOTALL)
    if form is None:
        return None
    fields = {}
    for field in re.findall(r"<input[^>]*>", form[2]):
        name, value = (re.search(rf'\b{attribute}="([^"]*)"', field) for attribute in ("name", "value"))
        if name is not None:
            fields[name[1]] = value[1] if value is not None else ""
    return form[1], fields
