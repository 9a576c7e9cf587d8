"""The programs beside gateways: found by what they were started with, confined, asked;
Linux only.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TextIO

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.process import need_tool

_PATIENCE = 10.0
_RIGHTS = {"gre": "net_admin,net_raw", "nat64": "net_admin", "bird": "net_admin,net_raw,net_bind_service"}
_NAMES = (b"bird", b"gre.py")


def confined(program: str) -> list[str]:
    """What a program is started by: of root's rights it keeps those that it needs. It hears what guests say."""
    kept = ",".join(f"+{name}" for name in _RIGHTS[program].split(","))
    return [need_tool("setpriv", "util-linux"), f"--bounding-set=-all,{kept}", "--no-new-privs"]


def of(file: Path) -> list[int]:
    """Process ids of programs that were started with a file."""
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit() and is_of(int(name), file))


def below(folder: Path) -> list[int]:
    """Process ids of programs that were started with any file in a folder."""
    front = os.fsencode(folder) + b"/"
    return sorted(
        int(name) for name in os.listdir("/proc")
        if name.isdigit() and any(word.startswith(front) for word in _words(int(name))))


def is_of(pid: int, file: Path) -> bool:
    """Whether a process is a program that was started with a file."""
    return os.fsencode(file) in _words(pid)


def _words(pid: int) -> list[bytes]:
    """What a process was started with, if it is one of ours."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []
    return words if any(os.path.basename(word) in _NAMES for word in words[:4]) else []


def write(file: Path, content: str) -> bool:
    """Have a file say so; whether it did not before."""
    try:
        if file.read_text() == content:
            return False
    except FileNotFoundError:
        pass
    new = file.with_suffix(".new")
    new.write_text(content)
    new.replace(file)
    return True


def ask(home: Path, command: str) -> str:
    """What the speaker of a folder answers. Raises `OSError` where nobody does, `PlaneError` when it will not."""
    # By the folder's descriptor: a Unix socket's path has 107 bytes at most.
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(_PATIENCE)
            s.connect(f"/proc/self/fd/{folder}/ctl")
            with s.makefile("r", encoding="utf-8", errors="replace") as answers:
                _whole(answers)  # it greets
                s.sendall(f"{command}\n".encode())
                answer, code = _whole(answers)
    finally:
        os.close(folder)
    if code >= "8":
        raise PlaneError(f"The BGP speaker refused {command!r}: {answer.strip()[-300:]}")
    return answer


def _whole(answers: TextIO) -> tuple[str, str]:
    """An answer to its end, and its code: a line that begins with four digits and a space is the last one."""
    lines = []
    for line in answers:
        lines.append(line)
        if line[:4].isdigit() and line[4:5] == " ":
            return "".join(lines), line[:4]
    raise OSError("the BGP speaker ended in the middle of an answer")
