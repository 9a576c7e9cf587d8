"""Every implemented operation, asked for things that are almost right."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from botocore.exceptions import ParamValidationError

from cloudjar.app import SERVICES
from cloudjar.kit.operation import Services
from cloudjar.spec import models
from tests.calls import ROOT, Line, Sent, minimal, signed, write
from tests.fuzz.nasty import Maker, mangle
from tests.fuzz.world import World, assert_decent

EACH = 8
"""Random requests of either kind for every operation."""


def operations(services: Services) -> Iterator[tuple[str, str, str]]:
    """(service, operation, protocol) of everything that is built."""
    for service in sorted(SERVICES):
        for operation in services.operations(service):
            for protocol in models.service(service).protocols:
                yield service, operation.name, protocol


def written(service: str, operation: str, params: dict[str, object], protocol: str) -> Sent | None:
    """None when botocore cannot even write it."""
    try:
        return write(service, operation, params, protocol)
    except (ParamValidationError, AttributeError, TypeError, ValueError, OverflowError, KeyError):
        return None


def carried(sent: Sent) -> Sent:
    """With headers that HTTP can carry: one line each, bytes."""
    lines = {name: value.replace("\r", " ").replace("\n", " ") for name, value in sent.headers.items()}
    lines = {name: line.encode(errors="replace").decode("latin-1") for name, line in lines.items()}
    return sent._replace(headers=lines)


def attack(world: World, line: Line, seed: int, each: int) -> int:
    """Send `each` requests of two kinds for every operation; gives how many were answered."""
    sent = 0
    for service, operation, protocol in operations(world.jar.jar.services):
        draw = random.Random(f"{seed} {service} {operation} {protocol}")
        shape = models.service(service).operations[operation].input
        for number in range(each):
            made = Maker(draw, world.known, nastiness=0.05 + 0.1 * (number % 4)).params(shape)
            whole = written(service, operation, made, protocol)
            least = mangle(draw, write(service, operation, minimal(shape), protocol))
            for request in (whole, least):
                if request is None or len(request.target) > 8000:
                    continue
                sent += 1
                answer = line.send(signed(carried(request), service))
                assert_decent(answer, service, protocol, (seed, operation, request.target, request.body[:2000]))
    return sent


def test_almost_right_requests(fuzzed: World, line: Line) -> None:
    assert attack(fuzzed, line, seed=1, each=EACH) > 1000
    fuzzed.jar.settle()


def twist(world: World, line: Line, seed: int, each: int) -> int:
    """Send calls that once did something, each time with one thing wrong; gives how many were answered."""
    sent = 0
    for position, (service, operation, params) in enumerate(world.calls):
        draw = random.Random(f"{seed} {position}")
        for protocol in models.service(service).protocols:
            whole = write(service, operation, params, protocol)
            for _ in range(each):
                request = mangle(draw, whole)
                answer = line.send(signed(request, service, world.user if service == "sts" else ROOT))
                assert_decent(answer, service, protocol, (seed, operation, request.body[:3000]))
                sent += 1
    return sent


def test_good_requests_with_one_thing_wrong(fuzzed: World, line: Line) -> None:
    assert twist(fuzzed, line, seed=1, each=25) > 500
    fuzzed.jar.settle()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(2, 12))
def test_good_requests_with_one_thing_wrong_at_length(fuzzed: World, line: Line, seed: int) -> None:
    assert twist(fuzzed, line, seed=seed, each=150) > 500
    fuzzed.jar.settle()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(2, 12))
def test_almost_right_requests_at_length(fuzzed: World, line: Line, seed: int) -> None:
    assert attack(fuzzed, line, seed=seed, each=30) > 1000
    fuzzed.jar.settle()


def test_the_world_is_whole_after_it(fuzzed: World) -> None:
    jar = fuzzed.jar
    jar.crash()
    jar.settle()
    assert jar.jar.database.query("PRAGMA integrity_check") == [("ok",)]
    assert jar.client("sts").get_caller_identity()["Account"] == "000000000000"
    assert jar.client("ec2").describe_instances()["Reservations"] is not None
