"""API destinations: real calls over TLS that say who calls."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudjar.kit.db import Db
from cloudjar.services.events.records import Connection
from tests.jar import ACCOUNT, TestJar
from tests.services.events.conftest import Bus, lets_in, role_for
from tests.services.events.test_rules import refused
from tests.services.events.web import Api
from tests.services.sqs.conftest import Box

pytestmark = pytest.mark.timeout(120)
MINE = {"source": ["my.app"]}
KEY = {"ApiKeyAuthParameters": {"ApiKeyName": "x-api-key", "ApiKeyValue": "secret-key"}}


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    made = Api(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.certificates.authority_file))
    yield made
    made.close()


def until(jar: TestJar, said: Callable[[], bool]) -> None:
    """Let the jar work until something is so; what is heard comes on threads."""
    pause = threading.Event()
    for _ in range(3000):
        jar.settle()
        if said():
            return
        pause.wait(0.02)
    pytest.fail("it does not come to that")


def idle(jar: TestJar) -> bool:
    """Whether nothing is on its way."""
    return not jar.jar.database.query("SELECT 1 FROM events_delivery LIMIT 1")


def connection(bus: Bus, kind: str = "API_KEY", parameters: Any = None, name: str = "c") -> str:
    made = bus.client.create_connection(Name=name, AuthorizationType=kind, AuthParameters=parameters or KEY)
    return str(made["ConnectionArn"])


def destination(jar: TestJar, bus: Bus, url: str, conn: str, method: str = "POST", **target: Any) -> str:
    """A destination that is the target of a rule."""
    made = bus.client.create_api_destination(
        Name="d", ConnectionArn=conn, InvocationEndpoint=url, HttpMethod=method
    )
    assert made["ApiDestinationState"] == "ACTIVE"
    arn = str(made["ApiDestinationArn"])
    bus.rule(pattern=MINE)
    role = role_for(jar, "events:InvokeApiDestination")
    bus.target(arn, RoleArn=role, **target)
    return arn


def test_a_call_with_a_key(jar: TestJar, bus: Bus, api: Api) -> None:
    http = {
        "InvocationHttpParameters": {
            "HeaderParameters": [{"Key": "x-more", "Value": "1", "IsValueSecret": True}],
            "QueryStringParameters": [{"Key": "q", "Value": "a b"}],
            "BodyParameters": [{"Key": "added", "Value": "yes"}],
        }
    }
    conn = connection(bus, parameters={**KEY, **http})
    wanted = {
        "PathParameterValues": ["$.detail.id"],
        "HeaderParameters": {"x-kind": "$.detail-type"},
        "QueryStringParameters": {"p": "1"},
    }
    destination(jar, bus, f"{api.url}/things/*/new", conn, "PUT", HttpParameters=wanted, InputPath="$.detail")
    bus.put({"id": "7"})
    [asked] = api.wait(1)
    assert (asked.method, asked.path) == ("PUT", "/things/7/new?p=1&q=a+b")
    assert asked.headers["x-api-key"] == "secret-key"
    assert asked.headers["x-kind"] == "thing"
    assert asked.headers["x-more"] == "1"
    assert asked.headers["content-type"] == "application/json; charset=utf-8"
    assert json.loads(asked.body) == {"id": "7", "added": "yes"}
    until(jar, lambda: idle(jar))
    shown = bus.client.describe_connection(Name="c")["AuthParameters"]
    assert shown["ApiKeyAuthParameters"] == {"ApiKeyName": "x-api-key"}
    assert shown["InvocationHttpParameters"]["HeaderParameters"] == [{"Key": "x-more", "IsValueSecret": True}]
    assert b"secret-key" not in (jar.home / "cloudjar.db").read_bytes() + (jar.home / "cloudjar.db-wal").read_bytes()


def test_a_call_with_a_password_is_tried_again(jar: TestJar, bus: Bus, api: Api) -> None:
    basic = {"BasicAuthParameters": {"Username": "ada", "Password": "pass"}}
    destination(jar, bus, api.url, connection(bus, "BASIC", basic))
    api.statuses = [503, 429]
    bus.put()
    api.wait(1)
    until(jar, lambda: jar.jar.database.query("SELECT tries FROM events_delivery")[0][0] == 1)
    jar.advance(seconds=3)
    api.wait(2)
    until(jar, lambda: jar.jar.database.query("SELECT tries FROM events_delivery")[0][0] == 2)
    jar.advance(seconds=5)
    found = api.wait(3)
    until(jar, lambda: idle(jar))
    assert len(api.got) == 3
    assert {asked.headers["authorization"] for asked in found} == {"Basic " + base64.b64encode(b"ada:pass").decode()}
    assert len({asked.body for asked in found}) == 1


def test_tokens_are_asked_for_and_asked_for_again(jar: TestJar, bus: Bus, api: Api) -> None:
    oauth = {
        "OAuthParameters": {
            "ClientParameters": {"ClientID": "id", "ClientSecret": "very secret"},
            "AuthorizationEndpoint": f"{api.url}/token",
            "HttpMethod": "POST",
            "OAuthHttpParameters": {"BodyParameters": [{"Key": "scope", "Value": "all"}]},
        }
    }
    conn = connection(bus, "OAUTH_CLIENT_CREDENTIALS", oauth)
    until(jar, lambda: state(jar) == "AUTHORIZED")
    assert api.got[0].body == "grant_type=client_credentials&client_id=id&client_secret=very+secret&scope=all"
    destination(jar, bus, f"{api.url}/call", conn)

    def called() -> list[str]:
        return [asked.headers["authorization"] for asked in list(api.got) if asked.path == "/call"]

    bus.put()
    until(jar, lambda: idle(jar))
    first = called()
    assert first == [f"Bearer token{api.tokens}"]
    api.statuses = [401]
    bus.put()
    until(jar, lambda: len(called()) == 2 and state(jar) == "AUTHORIZED" and api.tokens > 1)
    jar.advance(seconds=3)
    until(jar, lambda: idle(jar))
    assert called() == [*first, *first, f"Bearer token{api.tokens}"]
    assert bus.client.describe_connection(Name="c")["LastAuthorizedTime"]


def state(jar: TestJar) -> str:
    """The connection's, without a call."""
    found = Db(jar.jar.world.state, ACCOUNT, "eu-west-3")[Connection].get("c")
    assert found is not None
    return found.state


def test_what_cannot_be_called_is_a_dead_letter(jar: TestJar, bus: Bus, api: Api) -> None:
    dead = Box(jar, jar.client("sqs"), "dead")
    dead.set(Policy=lets_in(dead.arn))

    def code() -> str:
        [message] = dead.receive()
        dead.delete(message)
        return str(message["MessageAttributes"]["ERROR_CODE"]["StringValue"])

    arn = destination(jar, bus, api.url, connection(bus), DeadLetterConfig={"Arn": dead.arn})
    api.statuses = [404]
    bus.put()
    api.wait(1)
    until(jar, lambda: idle(jar))
    assert code() == "ERROR_FROM_TARGET"
    powerless = role_for(jar, "events:PutEvents", name="powerless")
    bus.target(arn, RoleArn=powerless, DeadLetterConfig={"Arn": dead.arn})
    bus.put()
    assert code() == "NO_PERMISSIONS"
    bus.target(arn, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/target", DeadLetterConfig={"Arn": dead.arn})
    bus.client.deauthorize_connection(Name="c")
    assert bus.client.describe_api_destination(Name="d")["ApiDestinationState"] == "INACTIVE"
    bus.put()
    assert code() == "ERROR_FROM_TARGET"
    bus.client.delete_api_destination(Name="d")
    bus.put()
    assert code() == "NO_RESOURCE"
    assert len(api.got) == 1


def test_no_more_calls_a_second_than_the_rate_allows(jar: TestJar, bus: Bus, api: Api) -> None:
    destination(jar, bus, api.url, connection(bus))
    bus.client.update_api_destination(Name="d", InvocationRateLimitPerSecond=2)
    bus.client.put_events(Entries=[{"Source": "my.app", "DetailType": "x", "Detail": "{}"}] * 5)
    jar.settle()
    api.wait(2)
    until(jar, lambda: left(jar) == 3)
    jar.advance(seconds=1)
    api.wait(4)
    until(jar, lambda: left(jar) == 1)
    jar.advance(seconds=1)
    api.wait(5)
    until(jar, lambda: idle(jar))


def left(jar: TestJar) -> int:
    """How many events are on their way."""
    return int(jar.jar.database.query("SELECT count(*) FROM events_delivery")[0][0])


def test_connections_and_destinations(bus: Bus) -> None:
    client = bus.client
    conn = connection(bus)
    assert refused(client.create_connection, Name="c", AuthorizationType="API_KEY", AuthParameters=KEY)[0] == (
        "ResourceAlreadyExistsException"
    )
    wrong = refused(client.create_connection, Name="x", AuthorizationType="BASIC", AuthParameters=KEY)
    assert wrong[0] == "ValidationException"
    asked = {"Name": "d", "ConnectionArn": conn, "HttpMethod": "GET"}
    plain = refused(client.create_api_destination, InvocationEndpoint="http://example.com", **asked)
    assert plain[0] == "ValidationException"
    client.create_api_destination(InvocationEndpoint="https://example.com", **asked)
    client.update_api_destination(Name="d", HttpMethod="PATCH", InvocationRateLimitPerSecond=5)
    found = client.describe_api_destination(Name="d")
    assert (found["HttpMethod"], found["InvocationRateLimitPerSecond"]) == ("PATCH", 5)
    assert found["InvocationEndpoint"] == "https://example.com"
    assert [one["Name"] for one in client.list_api_destinations(ConnectionArn=conn)["ApiDestinations"]] == ["d"]
    new = {"ApiKeyAuthParameters": {"ApiKeyName": "y", "ApiKeyValue": "z"}}
    assert client.update_connection(Name="c", AuthParameters=new)["ConnectionState"] == "AUTHORIZED"
    assert client.describe_connection(Name="c")["AuthParameters"] == {"ApiKeyAuthParameters": {"ApiKeyName": "y"}}
    assert [one["Name"] for one in client.list_connections()["Connections"]] == ["c"]
    client.delete_connection(Name="c")
    assert refused(client.describe_connection, Name="c")[1] == "Connection 'c' does not exist."
    assert client.describe_api_destination(Name="d")["ApiDestinationState"] == "INACTIVE"
