"""What is built, read from the registries."""

from __future__ import annotations

from collections.abc import Iterator

from cloudjar.app import SERVICES
from cloudjar.kit.operation import Operation, Services
from cloudjar.spec import models
from cloudjar.spec.models import OperationModel

REGISTRY = Services(SERVICES)


def operations() -> Iterator[tuple[str, Operation, OperationModel]]:
    """(service, handler, model) of every operation that is built."""
    for service in sorted(SERVICES):
        for operation in REGISTRY.operations(service):
            yield service, operation, models.service(service).operations[operation.name]


def in_protocols() -> Iterator[tuple[str, str, str]]:
    """(service, operation, protocol): every way in which a built operation may be asked for."""
    for service, operation, _ in operations():
        for protocol in models.service(service).protocols:
            yield service, operation.name, protocol
