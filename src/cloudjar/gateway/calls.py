"""A call, compiled: everything about (service, operation, protocol) that a request should not work out again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloudjar.base.errors import AwsError, not_implemented
from cloudjar.kit.operation import Operation, Services
from cloudjar.kit.validate import validator
from cloudjar.spec import iam, models, rates, regions, throttles
from cloudjar.spec.models import OperationModel, ServiceModel, Shape
from cloudjar.wire.codec import Codec, codec

REDACTED = "HIDDEN_DUE_TO_SECURITY_REASONS"

# Services that know no region: their records live in "", whatever region signed the call.
GLOBAL_SERVICES = regions.WITHOUT_REGIONS | {"sts"}

Redact = Callable[[Any], Any]


@dataclass(frozen=True)
class Call:
    """One operation in one protocol, ready to run."""

    service: ServiceModel
    model: OperationModel
    protocol: str
    codec: Codec
    validate: Callable[[dict[str, Any]], None]
    operation: Operation | None
    grants: tuple[iam.Entry, ...]
    redact_input: Redact | None
    redact_output: Redact | None
    token_member: str
    throttled: bool
    """Whether there may be a limit to how often it is called (`spec.throttles`)."""
    rate: tuple[str, str] | None
    """The quota of how often it is called (`spec.rates`)."""

    def handler(self) -> Operation:
        """The operation's handler, or the honest 501."""
        if self.operation is None:
            raise not_implemented(self.service.name, self.model.name)
        return self.operation


class Calls:
    """Compiles calls at first use and keeps them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._compiled: dict[tuple[str, str, str], Call] = {}

    def get(self, service: str, operation: str, protocol: str) -> Call:
        """The compiled call; raises `AwsError` when the model has no such operation."""
        found = self._compiled.get((service, operation, protocol))
        return found if found is not None else self._compile(service, operation, protocol)

    def _compile(self, service: str, operation: str, protocol: str) -> Call:
        described = models.service(service)
        model = described.operations.get(operation)
        if model is None:
            raise AwsError("InvalidAction", f"The action {operation} is not valid for this web service.", 400)
        tokens = model.idempotency_tokens
        call = Call(
            described,
            model,
            protocol,
            codec(model, protocol),
            validator(model),
            self._services.operation(service, operation),
            iam.authorization(service, operation),
            redactor(model.input),
            redactor(model.output),
            tokens[0] if tokens else "",
            throttles.limit(service, operation, {}) is not None,
            rates.quota(service, operation),
        )
        self._compiled[service, operation, protocol] = call
        return call


def redactor(shape: Shape | None, seen: tuple[str, ...] = ()) -> Redact | None:
    """A function that replaces what the model calls sensitive, or None when there is nothing of the kind."""
    if shape is None or shape.name in seen:
        return None
    if shape.sensitive:
        return lambda _: REDACTED
    if shape.type == "structure":
        return _structure(shape, (*seen, shape.name))
    if shape.type == "list":
        inner = redactor(shape.member, (*seen, shape.name))
        return None if inner is None else _each(inner)
    if shape.type == "map":
        inner = redactor(shape.value, (*seen, shape.name))
        return None if inner is None else lambda value: {k: inner(v) for k, v in (value or {}).items()}
    return None


def _each(redact: Redact) -> Redact:
    return lambda value: [redact(v) for v in value or ()]


def _structure(shape: Shape, seen: tuple[str, ...]) -> Redact | None:
    members = {name: found for name, member in shape.members.items() if (found := redactor(member, seen))}
    if not members:
        return None

    def redact(value: Any) -> Any:
        if not isinstance(value, dict) or members.keys().isdisjoint(value):
            return value
        return {k: members[k](v) if k in members and v is not None else v for k, v in value.items()}

    return redact
