"""Connections: what is kept of them, what is shown, and how a call is made to say who calls.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html
"""

from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from cloudjar.kit.context import World
from cloudjar.services.events import errors
from cloudjar.services.events.records import Connection

AUTHORIZING, AUTHORIZED, DEAUTHORIZED = "AUTHORIZING", "AUTHORIZED", "DEAUTHORIZED"
BASIC, API_KEY, OAUTH = "BASIC", "API_KEY", "OAUTH_CLIENT_CREDENTIALS"
_PURPOSE = "events-connection"
_MEMBERS = {BASIC: "BasicAuthParameters", API_KEY: "ApiKeyAuthParameters", OAUTH: "OAuthParameters"}
_SECRET = ("Password", "ApiKeyValue", "ClientSecret")
Parameters = dict[str, Any]


class Call(NamedTuple):
    """A call over HTTP."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


def sealed(world: World, parameters: Parameters) -> bytes:
    """Parameters as they are kept."""
    return world.sealer.seal(json.dumps(parameters).encode(), _PURPOSE)


def parameters(world: World, held: Connection) -> Parameters:
    """The parameters of a connection."""
    found: Parameters = json.loads(_opened(world, held.sealed))
    return found


def token(world: World, held: Connection) -> str:
    """What OAuth gave."""
    return _opened(world, held.token).decode() if held.token else ""


def sealed_token(world: World, text: str) -> bytes:
    """A token as it is kept."""
    return world.sealer.seal(text.encode(), _PURPOSE)


def _opened(world: World, data: bytes) -> bytes:
    opened = world.sealer.open(data, _PURPOSE)
    if opened is None:
        raise RuntimeError("a connection was sealed by another installation")
    return opened


def checked(kind: str, given: Parameters) -> Parameters:
    """Parameters that fit the kind of authorization; raises ValidationException."""
    if given.get("ConnectivityParameters"):
        raise errors.not_built("Private connectivity of connections")
    wanted = _MEMBERS[kind]
    if not given.get(wanted):
        raise errors.parameter("AuthParameters", f"{wanted} must be specified for the authorization type {kind}.")
    if any(given.get(member) for member in _MEMBERS.values() if member != wanted):
        raise errors.parameter("AuthParameters", f"Only {wanted} may be specified for the authorization type {kind}.")
    if kind == OAUTH:
        https(given[wanted]["AuthorizationEndpoint"], "AuthorizationEndpoint")
    return given


def https(url: str, member: str) -> str:
    """An address that may be called; raises ValidationException."""
    try:
        parts = urlsplit(url)
        good = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise errors.parameter(member, "The endpoint must be an HTTPS URL.")
    return url


def updated(before: Parameters, given: Parameters) -> Parameters:
    """Parameters with some of them changed: what is not said stays."""
    found = dict(before)
    for name, value in given.items():
        old = before.get(name)
        found[name] = updated(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
    return found


def shown(given: Any) -> Any:
    """Parameters without what is secret."""
    if isinstance(given, list):
        return [shown(one) for one in given]
    if not isinstance(given, dict):
        return given
    hidden = {"Value"} if given.get("IsValueSecret") else set()
    return {name: shown(value) for name, value in given.items() if name not in _SECRET and name not in hidden}


# -- calls


def with_http(call: Call, more: dict[str, Any]) -> Call:
    """A call with further headers, query parameters and (of a JSON object or a form) body members."""
    headers = {**call.headers, **{one["Key"]: one["Value"] for one in more.get("HeaderParameters") or ()}}
    url = with_query(call.url, [(one["Key"], one["Value"]) for one in more.get("QueryStringParameters") or ()])
    return call._replace(headers=headers, url=url, body=_with_body(call.body, more.get("BodyParameters") or ()))


def with_query(url: str, pairs: list[tuple[str, str]]) -> str:
    """An address with further query parameters."""
    if not pairs:
        return url
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *pairs])
    return urlunsplit(parts._replace(query=query))


def _with_body(body: bytes, more: Any) -> bytes:
    if not more:
        return body
    try:
        data = json.loads(body)
    except ValueError:
        return body
    if not isinstance(data, dict):
        return body
    return json.dumps({**data, **{one["Key"]: one["Value"] for one in more}}).encode()


def authorized(world: World, held: Connection, call: Call) -> Call:
    """A call that says who calls."""
    given = parameters(world, held)
    own = given[_MEMBERS[held.kind]]
    if held.kind == BASIC:
        pair = f"{own['Username']}:{own['Password']}".encode()
        headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    elif held.kind == API_KEY:
        headers = {own["ApiKeyName"]: own["ApiKeyValue"]}
    else:
        headers = {"Authorization": f"Bearer {token(world, held)}"}
    signed = call._replace(headers={**call.headers, **headers})
    return with_http(signed, given.get("InvocationHttpParameters") or {})


def token_call(world: World, held: Connection) -> Call:
    """The call that asks for a token (RFC 6749, section 4.4)."""
    own = parameters(world, held)["OAuthParameters"]
    client, more = own["ClientParameters"], own.get("OAuthHttpParameters") or {}
    form = [("grant_type", "client_credentials"), ("client_id", client["ClientID"]),
            ("client_secret", client["ClientSecret"])]  # fmt: skip
    form = [pair for pair in form if pair[0] not in {one["Key"] for one in more.get("BodyParameters") or ()}]
    form += [(one["Key"], one["Value"]) for one in more.get("BodyParameters") or ()]
    call = Call(own["HttpMethod"], own["AuthorizationEndpoint"], {}, b"")
    call = with_http(call, {**more, "BodyParameters": []})
    if call.method == "GET":
        return call._replace(url=with_query(call.url, form))
    headers = {"Content-Type": "application/x-www-form-urlencoded", **call.headers}
    return call._replace(headers=headers, body=urlencode(form).encode())
