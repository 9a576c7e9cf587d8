"""What devices a control group may open, on version 2: a small program that the kernel asks at every open.

Version 1 has files for this, which can be written while a guest runs. On version 2 whoever wants to change his mind
puts another program in the place of the first: runc does so at a start, and here it is done for a running guest.

https://docs.kernel.org/admin-guide/cgroup-v2.html (Device controller), bpf(2)
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cloudjar.base.errors import PlaneError

_CALL = {"x86_64": 321, "aarch64": 280}
_LOAD, _ATTACH, _DETACH, _FD_BY_ID, _QUERY = 5, 8, 9, 13, 16
_PROGRAM_CGROUP_DEVICE, _ATTACH_CGROUP_DEVICE = 15, 6
_ALLOW_MULTI, _REPLACE = 2, 4
_TYPES = {"b": 1, "c": 2}
_ACCESS = {"m": 1, "r": 2, "w": 4}
_ALL = 7
_MOST = 64
"""Programs on one group."""


def program(rules: Sequence[dict[str, Any]]) -> bytes:
    """The rules (OCI ``devices``: a denial of everything, then what is allowed) as instructions (pure)."""
    code = [
        _op(0x61, 2, 1, 0),  # r2 = access and type, r5 = major, r6 = minor
        _op(0xBC, 3, 2),
        _op(0x54, 3, number=0xFFFF),  # r3 = type
        _op(0xBC, 4, 2),
        _op(0x74, 4, number=16),  # r4 = access
        _op(0x61, 5, 1, 4),
        _op(0x61, 6, 1, 8),
    ]
    for rule in rules:
        if rule["allow"]:
            code += _allowing(rule)
    return b"".join([*code, *_answer(0)])


def _allowing(rule: dict[str, Any]) -> list[bytes]:
    """Answer yes when type, numbers and every wanted access are the rule's; else go on behind it."""
    granted = sum(_ACCESS[letter] for letter in rule["access"])
    tests = [(3, _TYPES[rule["type"]])]
    tests += [(register, rule[name]) for register, name in ((5, "major"), (6, "minor")) if name in rule]
    left = len(tests) + 3 + 2
    code = []
    for register, number in tests:
        left -= 1
        code.append(_op(0x55, register, offset=left, number=number))
    code += [_op(0xBC, 7, 4), _op(0x54, 7, number=_ALL & ~granted), _op(0x55, 7, offset=2)]
    return [*code, *_answer(1)]


def _answer(number: int) -> list[bytes]:
    return [_op(0xB7, 0, number=number), _op(0x95)]


def _op(code: int, to: int = 0, source: int = 0, offset: int = 0, number: int = 0) -> bytes:
    return struct.pack("<BBhi", code, source << 4 | to, offset, number)


def put(group: Path, rules: Sequence[dict[str, Any]]) -> None:
    """Have a group's devices decided by these rules from now on, whatever decided before; the groups above still count.

    Raises `PlaneError` when the kernel lacks it or does not let us.
    """
    try:
        _put(group, program(rules))
    except OSError as refused:
        raise PlaneError(f"the devices of {group} could not be set: {refused}") from refused


def _put(group: Path, code: bytes) -> None:
    handle = os.open(group, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        before = [_bpf(_FD_BY_ID, struct.pack("<III", number, 0, 0))[0] for number in _present(handle)]
        new = _load(code)
        try:
            flags, first = (_ALLOW_MULTI | _REPLACE, before[0]) if before else (_ALLOW_MULTI, 0)
            _bpf(_ATTACH, struct.pack("<IIIII", handle, new, _ATTACH_CGROUP_DEVICE, flags, first))
            for other in before[1:]:
                _bpf(_DETACH, struct.pack("<III", handle, other, _ATTACH_CGROUP_DEVICE))
        finally:
            for one in (new, *before):
                os.close(one)
    finally:
        os.close(handle)


def _present(handle: int) -> list[int]:
    """Numbers of the programs on an open group itself."""
    found = (ctypes.c_uint32 * _MOST)()
    asked = struct.pack("<IIIIQII", handle, _ATTACH_CGROUP_DEVICE, 0, 0, ctypes.addressof(found), _MOST, 0)
    said = _bpf(_QUERY, asked)[1]
    return list(found[: struct.unpack_from("<I", said, 24)[0]])


def _load(code: bytes) -> int:
    text = ctypes.create_string_buffer(code, len(code))
    licence = ctypes.create_string_buffer(b"Apache-2.0")
    asked = struct.pack(
        "<IIQQIIQII",
        _PROGRAM_CGROUP_DEVICE,
        len(code) // 8,
        ctypes.addressof(text),
        ctypes.addressof(licence),
        *(0, 0, 0, 0, 0),
    )
    return _bpf(_LOAD, asked)[0]


def _bpf(command: int, asked: bytes) -> tuple[int, bytes]:
    """The system call: its result, and what it was asked with as the kernel left it."""
    number = _CALL.get(platform.machine())
    if number is None:
        raise OSError(f"unknown machine {platform.machine()}")
    libc = ctypes.CDLL(None, use_errno=True)
    memory = ctypes.create_string_buffer(asked, len(asked))
    result = libc.syscall(number, command, memory, len(asked))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return int(result), memory.raw
