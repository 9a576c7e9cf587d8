"""The admin API's client."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cloudjar.base.settings import Settings
from cloudjar.cli.home import Home, Ready
from cloudjar.cli.screen import Failure
from cloudjar.gateway import private
from cloudjar.spec import prices

TOKEN_HEADER = "x-cloudjar-token"


class AdminClient:
    """Asks a running jar what is not AWS's to answer. The token lies in its home: who may read that may ask."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.settings, self.ready = home.need_ready()
        prices.use_imported(home.folder / "prices")

    def get(self, name: str, **query: object) -> dict[str, Any]:
        """``GET /_cloudjar/NAME``; raises `Failure`."""
        return self._ask("GET", name, query)

    def post(self, name: str, **query: object) -> dict[str, Any]:
        """``POST /_cloudjar/NAME``; raises `Failure`."""
        return self._ask("POST", name, query)

    def _ask(self, method: str, name: str, query: dict[str, object]) -> dict[str, Any]:
        connection = Private(self.home.folder)
        path = f"/_cloudjar/{name}" + (f"?{urlencode(query)}" if query else "")
        try:
            token = (self.home.folder / "admin-token").read_text()
            connection.request(method, path, headers={TOKEN_HEADER: token})
            answer = connection.getresponse()
            body = answer.read()
        except OSError as failed:
            raise Failure("the jar does not answer", str(failed), "cloudjar logs, then cloudjar down and up") from None
        finally:
            connection.close()
        try:
            said: dict[str, Any] = json.loads(body)
        except ValueError:
            said = {"error": body[:200].decode("utf-8", "replace")}
        if answer.status != 200:
            raise Failure(said.get("error", f"the jar answered {answer.status}"))
        return said


class Private(http.client.HTTPConnection):
    """HTTP through the jar's private socket."""

    def __init__(self, folder: Path, timeout: float = 600) -> None:
        super().__init__("localhost", timeout=timeout)
        self._folder = folder

    def connect(self) -> None:
        """Called by the base class when a request is to be sent."""
        self.sock = private.connected(self._folder, 600)


def reach(settings: Settings) -> str:
    """An address at which this host reaches what `settings` listen on."""
    return "127.0.0.1" if settings.host in ("", "0.0.0.0", "::", "localhost") else settings.host


def endpoint(settings: Settings, ready: Ready) -> str:
    """The URL for clients on this host."""
    host = reach(settings)
    return f"http://[{host}]:{ready.port}" if ":" in host else f"http://{host}:{ready.port}"
