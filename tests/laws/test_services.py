"""Every service is declared whole: manifest, README, operations that AWS has, actions that IAM knows, legal states."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from cloudjar.app import SERVICES
from cloudjar.kit.machine import IllegalMoveError, Machine
from cloudjar.kit.operation import Service
from cloudjar.kit.record import meta
from cloudjar.spec import iam, models
from tests.laws.built import REGISTRY, operations
from tests.laws.tree import PACKAGE

MACHINE_ENUMS = {
    "pipes/pipe": ("pipes", "PipeState"),
    "firehose/deliverystream": ("firehose", "DeliveryStreamStatus"),
    "kinesis/consumer": ("kinesis", "ConsumerStatus"),
    "kinesis/stream": ("kinesis", "StreamStatus"),
    "elasticloadbalancing/loadbalancer/app/": ("elbv2", "LoadBalancerStateEnum"),
    "autoscaling/member": ("autoscaling", "LifecycleState"),
    "ec2/instance": ("ec2", "InstanceStateName"),
    "ec2/natgateway": ("ec2", "NatGatewayState"),
    "ec2/vpc-block-public-access-exclusion": ("ec2", "VpcBlockPublicAccessExclusionState"),
    "ec2/transit-gateway": ("ec2", "TransitGatewayState"),
    "kms/key": ("kms", "KeyState"),
    "service-quotas/request": ("service-quotas", "RequestStatus"),
    "s3/job": ("s3control", "JobStatus"),
    "organizations/create-account": ("organizations", "CreateAccountState"),
    "organizations/handshake": ("organizations", "HandshakeState"),
    "account/account": ("organizations", "AccountState"),
    "account/region": ("account", "RegionOptStatus"),
}
"""The shape in the model that lists the states of each record type that has a machine."""


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_service_has_its_manifest_and_says_what_is_real(service: str) -> None:
    package = importlib.import_module(SERVICES[service])
    assert isinstance(package.SERVICE, Service)
    assert package.SERVICE.name == service
    readme = Path(str(package.__file__)).with_name("README.md").read_text()
    assert len(readme) > 200
    for word in ("Real", "Absent"):
        assert word.lower() in readme.lower(), f"{service}/README.md does not say what is {word.lower()}"
    assert REGISTRY.operations(service), "a service without any operation"


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_module_of_a_service_with_operations_is_in_its_manifest(service: str) -> None:
    package = importlib.import_module(SERVICES[service])
    folder = Path(str(package.__file__)).parent
    with_handlers = {
        path.relative_to(folder).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        for path in folder.rglob("*.py")
        if any(mark in path.read_text() for mark in ("\n@op(", "\n@reconciler(", "\n@on_boot(", "\n@meters("))
    }
    listed = set(package.SERVICE.modules)
    loaded = {m for m in with_handlers if any(m == one or m.startswith(f"{one}.") for one in listed)}
    assert with_handlers - loaded == set()


def test_every_operation_is_one_that_aws_has_and_iam_knows() -> None:
    for service, operation, _ in operations():
        assert operation.name in models.service(service).operations, (service, operation.name)
        assert operation.name in iam.operations_of(service), (service, operation.name)
        for entry in iam.authorization(service, operation.name):
            assert entry.action.partition(":")[2], entry


def test_every_operation_lies_in_the_folder_of_its_service() -> None:
    for service, operation, _ in operations():
        folder = f"cloudjar.services.{service.replace('-', '_')}"
        assert operation.handler.__module__.startswith(f"{folder}."), (service, operation.name)
        assert operation.handler.__doc__, f"{service}:{operation.name} does not say what it does"


def machines() -> list[Machine]:  # type: ignore[type-arg]  # of whatever record
    """Every state machine of the loaded services."""
    found = []
    for service in SERVICES:
        REGISTRY.load(service)
        for path in (PACKAGE / "services" / service.replace("-", "_")).rglob("*.py"):
            name = path.relative_to(PACKAGE.parent).with_suffix("").as_posix().replace("/", ".")
            module = importlib.import_module(name.removesuffix(".__init__"))
            found += [value for value in vars(module).values() if isinstance(value, Machine)]
    return list({id(one): one for one in found}.values())


def test_machines_know_the_states_of_the_model_and_no_other() -> None:
    seen = set()
    for one in machines():
        table = meta(one.cls).spec.name
        service, shape = MACHINE_ENUMS[table]
        assert one.states <= set(models.service(service).shape(shape).enum), table
        seen.add(table)
    assert seen == set(MACHINE_ENUMS)


def test_every_state_of_a_machine_can_be_reached_from_its_first() -> None:
    for one in machines():
        reached, frontier = {one.start}, [one.start]
        while frontier:
            for state in one.moves.get(frontier.pop(), ()):
                if state not in reached:
                    reached.add(state)
                    frontier.append(state)
        assert reached == one.states, meta(one.cls).spec.name


def test_every_move_of_the_instance_machine_is_made_somewhere() -> None:
    """Each target of the table is named where moves are made; a state that nothing moves to is a leftover."""
    for one in machines():
        folder = Path(str(importlib.import_module(one.cls.__module__).__file__)).parent
        sources = "\n".join(path.read_text() for path in folder.rglob("*.py"))
        for state in {to for targets in one.moves.values() for to in targets}:
            assert sources.count(f'"{state}"') >= 1, state


def test_an_illegal_move_raises() -> None:
    for one in machines():
        for state in one.states:
            for to in one.states - one.moves.get(state, frozenset()):
                with pytest.raises(IllegalMoveError):
                    one.move(None, SimpleNamespace(state=state), to)  # type: ignore[arg-type]  # refused unread
