"""AWS's API models, typed and lazy: services, operations, shapes.

`service("ec2")` reads one file; an operation or a shape is unpacked when it is first asked for.
Nothing here imports botocore (see `cloudjar.spec.compile` for where the data comes from).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from typing import Any

import msgspec

from cloudjar.spec.compile import CatalogueEntry, Compiled, Waiter, compact, load_catalogue, load_service

_unpack = msgspec.msgpack.Decoder().decode


class Shape:
    """A shape as seen from one place: the shape's own traits overlaid with those of the reference to it.

    Types are botocore's: structure, list, map, string, character, integer, long, float, double,
    boolean, timestamp, blob.
    """

    def __init__(self, service: ServiceModel, name: str, raw: dict[str, Any]) -> None:
        self.service = service
        self.name = name
        self.raw = raw
        self.type: str = raw["type"]

    def __repr__(self) -> str:
        return f"<Shape {self.service.name}.{self.name} {self.type}>"

    @cached_property
    def members(self) -> dict[str, Shape]:
        """Of a structure, in the model's order; empty otherwise."""
        return {n: self.service.resolve(ref) for n, ref in self.raw.get("members", {}).items()}

    @cached_property
    def member(self) -> Shape:
        """Of a list: its element. KeyError for other types."""
        return self.service.resolve(self.raw["member"])

    @cached_property
    def key(self) -> Shape:
        """Of a map. KeyError for other types."""
        return self.service.resolve(self.raw["key"])

    @cached_property
    def value(self) -> Shape:
        """Of a map. KeyError for other types."""
        return self.service.resolve(self.raw["value"])

    def _flag(self, trait: str) -> bool:
        return bool(self.raw.get(trait))

    def _text(self, trait: str) -> str:
        return str(self.raw.get(trait) or "")

    # -- constraints
    @property
    def required(self) -> tuple[str, ...]:
        return tuple(self.raw.get("required", ()))

    @property
    def min(self) -> int | float | None:
        """Least length, size or value."""
        return self.raw.get("min")

    @property
    def max(self) -> int | float | None:
        """Greatest length, size or value."""
        return self.raw.get("max")

    @property
    def pattern(self) -> str:
        return self._text("pattern")

    @property
    def enum(self) -> tuple[str, ...]:
        return tuple(self.raw.get("enum", ()))

    @property
    def sensitive(self) -> bool:
        return self._flag("sensitive")

    @property
    def idempotency_token(self) -> bool:
        return self._flag("idempotencyToken")

    @property
    def deprecated(self) -> bool:
        return self._flag("deprecated")

    @property
    def document(self) -> bool:
        """Free-form JSON."""
        return self._flag("document")

    @property
    def union(self) -> bool:
        """Exactly one member is set."""
        return self._flag("union")

    @property
    def sparse(self) -> bool:
        """A list or map that may hold nulls."""
        return self._flag("sparse")

    @property
    def requires_length(self) -> bool:
        return self._flag("requiresLength")

    # -- where and how it goes over the wire
    @property
    def location(self) -> str:
        """``uri``, ``querystring``, ``header``, ``headers``, ``statusCode``; empty: the body."""
        return self._text("location")

    @property
    def location_name(self) -> str:
        return self._text("locationName")

    @property
    def query_name(self) -> str:
        return self._text("queryName")

    @property
    def flattened(self) -> bool:
        return self._flag("flattened")

    @property
    def payload(self) -> str:
        """The member that alone is the body; empty: members share it."""
        return self._text("payload")

    @property
    def streaming(self) -> bool:
        return self._flag("streaming")

    @property
    def timestamp_format(self) -> str:
        """``iso8601``, ``rfc822``, ``unixTimestamp``; empty: the protocol's own."""
        return self._text("timestampFormat")

    @property
    def xml_namespace(self) -> tuple[str, str] | None:
        """(prefix, uri)."""
        found = self.raw.get("xmlNamespace")
        if isinstance(found, dict):
            return found.get("prefix") or "", found["uri"]
        return ("", found) if found else None

    @property
    def xml_attribute(self) -> bool:
        return self._flag("xmlAttribute")

    @property
    def result_wrapper(self) -> str:
        return self._text("resultWrapper")

    @property
    def eventstream(self) -> bool:
        return self._flag("eventstream")

    @property
    def event(self) -> bool:
        return self._flag("event")

    @property
    def event_header(self) -> bool:
        return self._flag("eventheader")

    @property
    def event_payload(self) -> bool:
        return self._flag("eventpayload")

    @property
    def jsonvalue(self) -> bool:
        """JSON text inside a string; base64 of it in a header."""
        return self._flag("jsonvalue")

    @property
    def host_label(self) -> bool:
        return self._flag("hostLabel")

    # -- errors
    @property
    def exception(self) -> bool:
        return self._flag("exception")

    @property
    def fault(self) -> bool:
        """True when the server is to blame."""
        error = self.raw.get("error") or {}
        return self._flag("fault") or error.get("httpStatusCode", 0) >= 500

    @property
    def error_code(self) -> str:
        """The code that query protocols show: the model's own, or the shape's name."""
        return str((self.raw.get("error") or {}).get("code") or self.name)

    @property
    def http_status(self) -> int:
        """Of an error; 0 when the model does not say."""
        return int((self.raw.get("error") or {}).get("httpStatusCode") or 0)

    @cached_property
    def event_stream_member(self) -> str:
        """The member that is an event stream, or empty."""
        return next((n for n, m in self.members.items() if m.eventstream), "")


class ErrorModel(msgspec.Struct, frozen=True):
    """An error that an operation declares."""

    code: str
    status: int
    """0 when the model does not say."""
    shape: str
    fault: bool


class Paginator(msgspec.Struct, frozen=True):
    """How clients page; each is a tuple because some operations carry two tokens."""

    input_token: tuple[str, ...]
    output_token: tuple[str, ...]
    limit_key: str
    result_keys: tuple[str, ...]
    more_results: str


class OperationModel:
    """One operation, as published."""

    def __init__(self, service: ServiceModel, name: str, raw: dict[str, Any]) -> None:
        self.service = service
        self.name = name
        self.raw = raw
        http = raw.get("http", {})
        self.method: str = http.get("method", "POST")
        self.uri: str = http.get("requestUri", "/")
        self.status: int = int(http.get("responseCode", 200))

    def __repr__(self) -> str:
        return f"<OperationModel {self.service.name}:{self.name}>"

    @cached_property
    def input(self) -> Shape | None:
        return self.service.resolve(self.raw["input"]) if "input" in self.raw else None

    @cached_property
    def output(self) -> Shape | None:
        return self.service.resolve(self.raw["output"]) if "output" in self.raw else None

    @cached_property
    def errors(self) -> tuple[ErrorModel, ...]:
        shapes = (self.service.shape(e["shape"]) for e in self.raw.get("errors", ()))
        return tuple(ErrorModel(s.error_code, s.http_status, s.name, s.fault) for s in shapes)

    @cached_property
    def paginator(self) -> Paginator | None:
        raw = self.raw.get("paginator")
        if raw is None:
            return None

        def names(key: str) -> tuple[str, ...]:
            found = raw.get(key, ())
            return (found,) if isinstance(found, str) else tuple(found)

        return Paginator(
            names("input_token"),
            names("output_token"),
            raw.get("limit_key", ""),
            names("result_key"),
            raw.get("more_results", ""),
        )

    @cached_property
    def idempotency_tokens(self) -> tuple[str, ...]:
        """Top-level input members that clients fill with a token of their own."""
        return tuple(n for n, m in self.input.members.items() if m.idempotency_token) if self.input else ()

    @property
    def checksum(self) -> dict[str, Any]:
        """The model's ``httpChecksum`` facts; empty when it has none."""
        return dict(self.raw.get("httpChecksum", {}))

    @property
    def checksum_required(self) -> bool:
        return bool(self.raw.get("httpChecksumRequired") or self.checksum.get("requestChecksumRequired"))

    def _streams(self, shape: Shape | None) -> bool:
        if shape is None or not shape.payload:
            return False
        body = shape.members[shape.payload]
        return body.type == "blob" or body.streaming

    @cached_property
    def streaming_input(self) -> bool:
        """The body is a blob handed on as it is."""
        return self._streams(self.input)

    @cached_property
    def streaming_output(self) -> bool:
        return self._streams(self.output)

    @property
    def event_stream_input(self) -> str:
        """The input member that is an event stream, or empty."""
        return self.input.event_stream_member if self.input else ""

    @property
    def event_stream_output(self) -> str:
        return self.output.event_stream_member if self.output else ""

    @cached_property
    def auth_type(self) -> str:
        """``none``, ``unsigned-payload`` or ``v4``."""
        schemes = self.raw.get("auth") or ()
        if self.raw.get("authtype") == "none" or tuple(schemes) == ("smithy.api#noAuth",):
            return "none"
        if self.raw.get("authtype") == "v4-unsigned-body" or self.raw.get("unsignedPayload"):
            return "unsigned-payload"
        return "v4"

    @property
    def auth_optional(self) -> bool:
        """The model also admits callers who do not sign."""
        return "smithy.api#noAuth" in (self.raw.get("auth") or ())

    @property
    def host_prefix(self) -> str:
        """What clients put before the endpoint's host, with ``{Member}`` labels; or empty."""
        return str(self.raw.get("endpoint", {}).get("hostPrefix", ""))

    @property
    def readonly(self) -> bool:
        return bool(self.raw.get("readonly"))

    @property
    def deprecated(self) -> bool:
        return bool(self.raw.get("deprecated"))


class _Operations(Mapping[str, OperationModel]):
    """Name -> operation, each unpacked at first use."""

    def __init__(self, service: ServiceModel, packed: dict[str, msgspec.Raw]) -> None:
        self._service = service
        self._packed = packed
        self._made: dict[str, OperationModel] = {}

    def __getitem__(self, name: str) -> OperationModel:
        found = self._made.get(name)
        if found is None:
            found = OperationModel(self._service, name, _unpack(self._packed[name]))
            self._made[name] = found
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """As of every mapping; each request asks."""
        found = self._made.get(name)
        return found if found is not None else super().get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._packed

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


class ServiceModel:
    """One service of the catalogue, with its operations."""

    def __init__(self, compiled: Compiled) -> None:
        entry = compiled.entry
        self.entry = entry
        self.name = entry.name
        self.service_id = entry.service_id
        self.full_name = entry.full_name
        self.api_version = entry.api_version
        self.signing_name = entry.signing_name
        self.endpoint_prefix = entry.endpoint_prefix
        self.protocols = entry.protocols
        self.target_prefix = entry.target_prefix
        self.json_version = entry.json_version
        self.xml_namespace = entry.xml_namespace
        self.query_compatible = entry.query_compatible
        self.operations: Mapping[str, OperationModel] = _Operations(self, compiled.operations)
        self._packed = compiled.shapes
        self._shapes: dict[str, Shape] = {}
        self._waiters = compiled.waiters

    def __repr__(self) -> str:
        return f"<ServiceModel {self.name}>"

    def shape(self, name: str) -> Shape:
        """The shape by its own name, without any reference's traits. KeyError when there is none."""
        found = self._shapes.get(name)
        if found is None:
            found = self._shapes[name] = Shape(self, name, _unpack(self._packed[name]))
        return found

    def shape_names(self) -> tuple[str, ...]:
        """The names of all shapes."""
        return tuple(self._packed)

    def resolve(self, ref: Mapping[str, Any]) -> Shape:
        """The shape a reference points to, its traits overlaid with the reference's."""
        base = self.shape(ref["shape"])
        if len(ref) == 1:
            return base
        return Shape(self, base.name, {**base.raw, **{k: v for k, v in ref.items() if k != "shape"}})

    @cached_property
    def error_shapes(self) -> dict[str, Shape]:
        """Error shapes by their own name and by the code that query protocols show."""
        found: dict[str, Shape] = {}
        named = [self.shape(n) for n, raw in self._packed.items() if b"exception" in bytes(raw)]
        for shape in named:
            if shape.exception:
                found.setdefault(shape.error_code, shape)
        found.update({s.name: s for s in named if s.exception})
        return found

    @cached_property
    def waiters(self) -> dict[str, Waiter]:
        """The waiters that clients know, by name."""
        return {n: msgspec.msgpack.decode(raw, type=Waiter) for n, raw in self._waiters.items()}


@cache
def catalogue() -> dict[str, CatalogueEntry]:
    """Every service's entry by name; cheap, loads no model."""
    return {e.name: e for e in load_catalogue()}


def all_names() -> tuple[str, ...]:
    """The names of all services, sorted."""
    return tuple(catalogue())


@cache
def service(name: str) -> ServiceModel:
    """A service's model (latest API version). KeyError when AWS publishes none by that name."""
    return ServiceModel(load_service(name))


@cache
def speaks_xml(name: str) -> bool:
    """True for services that were born with XML; they word their errors alike (``AccessDenied``, ...)."""
    return catalogue()[name].protocols[0] in ("query", "ec2", "rest-xml")


def from_description(name: str, model: dict[str, Any]) -> ServiceModel:
    """A model from a document in the published form: for tests, and for services of one's own."""
    return ServiceModel(msgspec.msgpack.decode(compact(name, model), type=Compiled))


def waiters(name: str) -> dict[str, Waiter]:
    """The waiters of a service, by name; empty when it has none."""
    return service(name).waiters
