"""Which operation of which service, in which protocol: read off a request without reading it whole.

In order: ``X-Amz-Target``; the path of rpc-v2-cbor; the service of the signature's scope (many services sign
as another: the Version, the target and the uri templates tell them apart); the Host header; at last, for
requests that are not signed, the Version of a query request, and S3 for everything that looks like an object.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

from cloudjar.base.errors import AwsError
from cloudjar.spec.compile import CatalogueEntry
from cloudjar.spec.models import ServiceModel, catalogue, service
from cloudjar.wire import form, host, uri
from cloudjar.wire.message import Request
from cloudjar.wire.rest import path_text, whole
from cloudjar.wire.values import Malformed

_RPC_PATH = re.compile(r"/service/([^/]+)/operation/([^/]+)/?")
_API_HINT = re.compile(r"\bapi/([A-Za-z0-9_-]+)")
_SHARED_TARGET = "Timestream_20181101."  # two services, one target prefix: only their hosts differ
_S3_PLAIN = frozenset({"list-type", "select-type"})
_S3_OBJECT = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
_S3_BUCKET_ONLY = frozenset({"CreateBucket", "DeleteBucket"})
_FORM = "application/x-www-form-urlencoded"


class Route(NamedTuple):
    """`service` is the catalogue's name; `uri_params` the decoded path labels of REST operations."""

    service: str
    operation: str
    protocol: str
    uri_params: dict[str, str]


class _Index(NamedTuple):
    targets: dict[str, list[str]]
    signing: dict[str, list[str]]
    prefixes: dict[str, list[str]]
    versions: dict[str, list[str]]


@lru_cache(maxsize=1)
def _index() -> _Index:
    index = _Index({}, {}, {}, {})
    for entry in catalogue().values():
        if entry.target_prefix:
            # SDKs of different ages send "CloudTrail_20131101" with and without a Java package before it
            for prefix in {entry.target_prefix, entry.target_prefix.rpartition(".")[2]}:
                index.targets.setdefault(prefix, []).append(entry.name)
        index.signing.setdefault(entry.signing_name, []).append(entry.name)
        index.prefixes.setdefault(entry.endpoint_prefix, []).append(entry.name)
        if _query_protocol(entry):
            index.versions.setdefault(entry.api_version, []).append(entry.name)
    for table in index:
        for key, names in table.items():  # a service that bears the name itself comes first
            names.sort(key=lambda n: (n != key, n != "rds", n))
    return index


def _query_protocol(entry: CatalogueEntry) -> str:
    return next((p for p in entry.protocols if p in ("query", "ec2")), "")


def _rest_protocol(entry: CatalogueEntry) -> str:
    return next((p for p in entry.protocols if p in ("rest-json", "rest-xml")), "")


def signing_name(request: Request) -> str:
    """The service of the signature's credential scope, from the header or a presigned query; or empty."""
    credential = request.headers.get("authorization", "")
    if credential:
        start = credential.find("Credential=")
        if start >= 0:
            end = credential.find(",", start)
            scope = credential[start + 11 : end if end > 0 else len(credential)].split("/")
            return scope[-2] if len(scope) >= 4 else ""
    elif "X-Amz-Credential=" in request.query:
        raw = request.query.partition("X-Amz-Credential=")[2].partition("&")[0]
        scope = raw.replace("%2F", "/").replace("%2f", "/").split("/")
        return scope[-2] if len(scope) >= 4 else ""
    return ""


def detect(request: Request) -> Route:
    """The request's route. AwsError as AWS words it when there is no such operation or service."""
    headers = request.headers
    target = headers.get("x-amz-target")
    if target:
        return _by_target(target, request)
    if "smithy-protocol" in headers and request.path.startswith("/service/"):
        return _by_rpc_path(request)
    names = _candidates(request)
    if _is_form(request):
        found = _by_action(request, names)
        if found is not None:
            return found
    return _by_uri(request, names)


def _candidates(request: Request) -> list[str]:
    """The services that the request may be for, the likeliest first."""
    index = _index()
    signing = signing_name(request)
    names = index.signing.get(signing) or index.prefixes.get(signing) or []
    if len(names) == 1:
        return names
    at = host.read(request.headers.get("host", ""))
    if at.service:
        hosted = index.prefixes.get(at.service, [])
        return [n for n in hosted if n in names] or (names if names else hosted)
    return names


# -- JSON and CBOR -----------------------------------------------------------------------------------------------


def _unknown_operation(message: str = "") -> AwsError:
    return AwsError("UnknownOperationException", message, 400)


@lru_cache(maxsize=4096)
def _target(target: str, signing: str, hosted: str) -> Route | None:
    prefix, _, operation = target.rpartition(".")
    targets = _index().targets
    entries = [catalogue()[n] for n in targets.get(prefix) or targets.get(prefix.rpartition(".")[2], [])]
    entries.sort(key=lambda e: (e.endpoint_prefix != hosted, e.signing_name != signing))
    names = [e.name for e in entries]
    for name in names:
        if operation in service(name).operations:
            return Route(name, operation, "json", {})
    return None


def _by_target(target: str, request: Request) -> Route:
    hosted = host.read(request.headers.get("host", "")).service if target.startswith(_SHARED_TARGET) else ""
    found = _target(target, signing_name(request), hosted) if len(target) < 256 else None
    if found is None:
        raise _unknown_operation()
    return found


@lru_cache(maxsize=4096)
def _rpc(prefix: str, operation: str, signing: str) -> Route | None:
    index = _index()
    bare = prefix.rpartition(".")[2]
    names = index.targets.get(bare, [])
    if not names:
        names = [n for n in index.signing.get(signing, []) if "smithy-rpc-v2-cbor" in catalogue()[n].protocols]
    for name in names:
        if operation in service(name).operations:
            return Route(name, operation, "smithy-rpc-v2-cbor", {})
    return None


def _by_rpc_path(request: Request) -> Route:
    if request.headers["smithy-protocol"] != "rpc-v2-cbor" or request.method != "POST":
        raise _unknown_operation("Only POST with smithy-protocol: rpc-v2-cbor is understood here.")
    match = _RPC_PATH.fullmatch(request.path) if len(request.path) < 512 else None
    found = _rpc(match[1], match[2], signing_name(request)) if match else None
    if found is None:
        raise _unknown_operation()
    return found


# -- query -------------------------------------------------------------------------------------------------------


def _is_form(request: Request) -> bool:
    if request.headers.get("content-type", "").startswith(_FORM):
        return True
    return request.query.startswith("Action=") or "&Action=" in request.query


def _parameter(text: str, name: str) -> str:
    """One form parameter without decoding the others; empty when it is not there."""
    if text.startswith(name + "="):
        start = len(name) + 1
    else:
        start = text.find(f"&{name}=")
        if start < 0:
            return ""
        start += len(name) + 2
    end = text.find("&", start)
    return form.decoded(text[start : end if end >= 0 else len(text)])


def _by_action(request: Request, names: list[str]) -> Route | None:
    """None: no query request after all."""
    try:
        text = whole(request).decode()
        beginning = _usual(text)
        known = _at_once(tuple(names), beginning) if beginning and names else None
        if known is not None:
            return known
        action = _parameter(text, "Action") or _parameter(request.query, "Action")
        version = _parameter(text, "Version") or _parameter(request.query, "Version")
    except (UnicodeDecodeError, Malformed):
        raise AwsError("MalformedInput", "The request is not UTF-8.", 400) from None
    speaking = [n for n in names if _query_protocol(catalogue()[n])]
    if names and not speaking:
        return None
    if not names:
        speaking = _index().versions.get(version, [])
        if not speaking:
            return None
    if not action:
        raise AwsError("MissingAction", "The request must contain the parameter Action", 400)
    found = _action(tuple(speaking), action, version) if len(action) < 128 else None
    if found is None:
        raise _invalid_action(speaking[0], action, version)
    return found


def _usual(text: str) -> str:
    """``Action=X&Version=Y`` at the start of a body, as every SDK writes it; empty for any other body."""
    if not text.startswith("Action="):
        return ""
    end = text.find("&", text.find("&", 7) + 1)
    beginning = text if end < 0 else text[:end]
    return beginning if "&Version=" in beginning and len(beginning) < 192 else ""


@lru_cache(maxsize=4096)
def _at_once(names: tuple[str, ...], beginning: str) -> Route | None:
    """The route of a body that begins so, when there is one: what is wrong with it is said elsewhere."""
    speaking = tuple(n for n in names if _query_protocol(catalogue()[n]))
    action, version = _parameter(beginning, "Action"), _parameter(beginning, "Version")
    return _action(speaking, action, version) if speaking else None


@lru_cache(maxsize=4096)
def _action(names: tuple[str, ...], action: str, version: str) -> Route | None:
    entries = [catalogue()[n] for n in names]
    exact = [e for e in entries if e.api_version == version]
    for entry in exact or entries:
        if action in service(entry.name).operations:
            return Route(entry.name, action, _query_protocol(entry), {})
    return None


def _invalid_action(name: str, action: str, version: str) -> AwsError:
    entry = catalogue()[name]
    if "ec2" in entry.protocols:
        return AwsError("InvalidAction", f"The action {action} is not valid for this web service.", 400)
    version = version or entry.api_version
    return AwsError("InvalidAction", f"Could not find operation {action} for version {version}", 400)


# -- REST --------------------------------------------------------------------------------------------------------


def _by_uri(request: Request, names: list[str]) -> Route:
    if names and names[0] in ("s3", "s3control"):
        return _s3(request, True)
    speaking = [n for n in names if _rest_protocol(catalogue()[n])]
    if names and not speaking:
        if all("smithy-rpc-v2-cbor" in catalogue()[n].protocols or "json" in catalogue()[n].protocols for n in names):
            raise _unknown_operation()
        raise AwsError("MissingAction", "The request must contain the parameter Action", 400)
    if not speaking:
        return _s3(request, False)
    return _rest(request, speaking)


def _rest(request: Request, names: list[str]) -> Route:
    found: list[Route] = []
    try:
        for name in names:
            match = uri.matcher(name).match(request.method, request.path, request.query, request.headers)
            if match is not None:
                protocol = _rest_protocol(catalogue()[name])
                found.append(Route(name, match[0].op.name, protocol, match[1]))
    except Malformed as e:
        raise AwsError("SerializationException", e.message, 400) from None
    if not found:
        raise AwsError("UnknownOperationException", "", 404)
    return found[0] if len(found) == 1 else _hinted(request, found)


def _hinted(request: Request, found: list[Route]) -> Route:
    """Two services with the same signing name and the same uri: the SDK names its client in the user agent."""
    agent = request.headers.get("user-agent", "") + " " + request.headers.get("x-amz-user-agent", "")
    hints = {h.lower().replace("-", "_") for h in _API_HINT.findall(agent)}
    for route in found:
        if catalogue()[route.service].service_id.lower().replace(" ", "_").replace("-", "_") in hints:
            return route
    return found[0]


def _s3(request: Request, signed: bool) -> Route:
    if signing_name(request) == "s3express":
        raise AwsError("NotImplemented", "Directory buckets (S3 Express One Zone) are not built in Cloudjar.", 501)
    at = host.read(request.headers.get("host", ""))
    if request.path.startswith("/v20180820/") and (at.kind == "control" or not at.bucket):
        return _s3_control(request)
    bucket = at.bucket or (at.local_labels if signed or at.service == "s3" else "")
    path = f"/{quote(bucket, safe='')}{request.path}" if bucket else request.path
    plain = _s3_object(request, path)
    if plain is not None:
        return plain
    table = uri.matcher("s3")
    try:
        match = table.match(request.method, path, request.query, request.headers)
    except Malformed:
        raise AwsError("InvalidURI", "Couldn't parse the specified URI.", 400) from None
    if match is None:
        raise _s3_refusal(request)
    _check_subresource(request, match[0], table)
    return Route("s3", match[0].op.name, "rest-xml", match[1])


def _s3_object(request: Request, path: str) -> Route | None:
    """The route of what is asked for most: an object, with nothing that could make it another operation."""
    query, operation = request.query, _S3_OBJECT.get(request.method)
    if operation is None or (query and ("&" in query or not query.startswith("x-id="))):
        return None
    bucket, _, key = path[1:].partition("/")
    if not bucket or not key or (operation == "PutObject" and "x-amz-copy-source" in request.headers):
        return None
    try:
        return Route("s3", operation, "rest-xml", {"Bucket": path_text(bucket), "Key": path_text(key)})
    except Malformed:
        raise AwsError("InvalidURI", "Couldn't parse the specified URI.", 400) from None


def _s3_control(request: Request) -> Route:
    try:
        found = uri.matcher("s3control").match(request.method, request.path, request.query, request.headers)
    except Malformed:
        raise AwsError("InvalidURI", "Couldn't parse the specified URI.", 400) from None
    if found is None:
        raise _s3_refusal(request)
    return Route("s3control", found[0].op.name, "rest-xml", found[1])


def _s3_refusal(request: Request) -> AwsError:
    depth = len([part for part in request.path.split("/", 2) if part])
    depth += bool(host.read(request.headers.get("host", "")).bucket)
    return AwsError(
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
        405,
        members={"Method": request.method, "ResourceType": ("SERVICE", "BUCKET")[depth] if depth < 2 else "OBJECT"},
    )


def _check_subresource(request: Request, found: uri.Template, table: uri.Matcher) -> None:
    """A sub-resource that the operation does not know must not turn it into the plain one."""
    if not request.query:
        return
    names = {form.decoded(p.partition("=")[0]) for p in request.query.split("&") if p}
    strange = names - found.literals.keys() - found.known_query - _S3_PLAIN
    if strange & table.literal_queries:
        raise _s3_refusal(request)
    if request.method in ("GET", "HEAD"):
        return
    if found.op.name not in _S3_BUCKET_ONLY:  # what bears no value may be a sub-resource that is newer than the model
        strange &= {form.decoded(p.partition("=")[0]) for p in request.query.split("&") if not p.partition("=")[2]}
    frame = {"x-id", "AWSAccessKeyId", "Signature", "Expires"}
    if any(n not in frame and not n.lower().startswith("x-amz-") for n in strange):
        text = "A query parameter you provided implies functionality that is not implemented"
        raise AwsError("NotImplemented", text, 501)


def family(request: Request) -> tuple[ServiceModel | None, str]:
    """In whose words and which protocol to refuse a request for which `detect` raised; for `faults.fault`."""
    names = _candidates(request)
    target = request.headers.get("x-amz-target", "")
    if not names and not target and not _is_form(request) and "smithy-protocol" not in request.headers:
        names = ["s3"]
    protocols = catalogue()[names[0]].protocols if names else ()
    if target:
        wanted: tuple[str, ...] = ("json",)
    elif "smithy-protocol" in request.headers:
        wanted = ("smithy-rpc-v2-cbor",)
    elif _is_form(request):
        wanted = ("ec2", "query")
    else:
        wanted = ("rest-xml", "rest-json", *protocols[:1])
    model = service(names[0]) if names else None
    return model, next((p for p in wanted if p in protocols), protocols[0] if protocols else wanted[-1])
