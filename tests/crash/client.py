"""A client that lives through crashes: it remembers what was acknowledged, and what it is owed because of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from tests.crash.server import ServerProcess
from tests.jar import SESSION

REGION = "eu-west-3"
CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=60)


class Crashed(Exception):
    """The call found the server dead; nobody knows whether it was done."""


class Client:
    """boto3 clients by service, whose every answer is noted by its request id."""

    def __init__(self, server: ServerProcess, key: str = "test", secret: str = "test") -> None:
        self.server = server
        self.key, self.secret = key, secret
        self.acknowledged: list[tuple[str, str]] = []
        """(request id, operation) of every answer that arrived, refusals included."""
        self.before_call: Callable[[], None] = lambda: None
        self._clients: dict[tuple[str, str], Any] = {}

    def be(self, key: str, secret: str) -> None:
        """Sign as somebody else from here on."""
        self.key, self.secret = key, secret

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """One call; raises `Crashed` when no answer came, `ClientError` when it was refused."""
        client = self._client(service)
        self.before_call()
        try:
            answer: dict[str, Any] = getattr(client, operation)(**params)
        except ClientError as refused:
            self._note(refused.response, operation)
            if int(refused.response["ResponseMetadata"]["HTTPStatusCode"]) >= 500:
                raise AssertionError(f"{service}.{operation}({params}): {refused}") from refused
            raise
        except (HTTPClientError, BotoCoreError) as nobody:
            raise Crashed(f"{operation}: {nobody}") from nobody
        self._note(answer, operation)
        return answer

    def _client(self, service: str) -> Any:
        found = self._clients.get((service, self.key))
        if found is None:
            found = SESSION.client(
                service,
                region_name=REGION,
                endpoint_url=self.server.endpoint,
                aws_access_key_id=self.key,
                aws_secret_access_key=self.secret,
                config=CONFIG,
            )
            self._clients[service, self.key] = found
        return found

    def _note(self, answer: dict[str, Any], operation: str) -> None:
        self.acknowledged.append((answer["ResponseMetadata"]["RequestId"], operation))


class Reaper:
    """Kills the server a moment after certain calls were begun: which calls, and how long after, is drawn beforehand.

    The moments lie before, inside and after the server's work on a call, and while its reconcilers are busy.
    """

    def __init__(self, server: ServerProcess, moments: dict[int, float]) -> None:
        self._server = server
        self._moments = moments
        self._calls = 0
        self._timers: list[threading.Timer] = []
        self.kills = 0

    def count(self) -> None:
        """Called before every call of the story."""
        delay = self._moments.pop(self._calls, None)
        self._calls += 1
        if delay is not None:
            timer = threading.Timer(delay, self._kill)
            self._timers.append(timer)
            timer.start()

    def _kill(self) -> None:
        self._server.kill()
        self.kills += 1

    def finish(self) -> None:
        """Wait for the kills that are under way."""
        for timer in self._timers:
            timer.join()
