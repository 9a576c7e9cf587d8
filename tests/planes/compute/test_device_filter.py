"""The device rules as a program: run here by a small machine of the same instructions."""

from __future__ import annotations

import struct

import pytest

from cloudjar.planes.compute.bundle import Loop, Plugged, device_rules
from cloudjar.planes.compute.device_filter import program

DISK = Plugged("xvdf", Loop("/dev/loop5", 7, 5))
ROOT = Plugged("xvda", Loop("/dev/loop4", 7, 4), open=False)
BLOCK, CHAR = 1, 2
MKNOD, READ, WRITE = 1, 2, 4


def runs(code: bytes, kind: int, access: int, major: int, minor: int) -> int:
    """The answer of a program that has loads, moves, masks, shifts, jumps and an exit."""
    asked = {0: access << 16 | kind, 4: major, 8: minor}
    registers = [0] * 11
    at = 0
    while True:
        op, pair, offset, number = struct.unpack_from("<BBhi", code, at * 8)
        to, source = pair & 15, pair >> 4
        at += 1
        match op:
            case 0x61:
                registers[to] = asked[offset]
            case 0xBC:
                registers[to] = registers[source]
            case 0xB7:
                registers[to] = number
            case 0x54:
                registers[to] &= number
            case 0x74:
                registers[to] >>= number
            case 0x55:
                at += offset if registers[to] != number else 0
            case 0x95:
                return registers[0]
            case _:
                pytest.fail(f"an instruction that no rule needs: {op:#x}")


@pytest.mark.parametrize(
    ("asked", "may"),
    [
        ((CHAR, READ | WRITE, 1, 3), 1),
        ((CHAR, READ, 1, 4), 0),
        ((CHAR, READ | WRITE, 136, 77), 1),
        ((CHAR, MKNOD, 9, 9), 1),
        ((BLOCK, MKNOD, 9, 9), 1),
        ((BLOCK, MKNOD | READ, 9, 9), 0),
        ((BLOCK, READ | WRITE, 7, 5), 1),
        ((BLOCK, READ | WRITE | MKNOD, 7, 5), 1),
        ((CHAR, READ, 7, 5), 0),
        ((BLOCK, READ, 7, 4), 0),
        ((BLOCK, READ, 7, 6), 0),
        ((BLOCK, READ, 8, 5), 0),
    ],
)
def test_a_guest_opens_its_own_disks_and_no_other(asked: tuple[int, int, int, int], may: int) -> None:
    assert runs(program(device_rules([ROOT, DISK])), *asked) == may


def test_without_rules_nothing_is_allowed() -> None:
    assert runs(program([{"allow": False, "access": "rwm"}]), BLOCK, READ, 7, 5) == 0
