"""Reading the console: conmon's log lines back into the bytes that the guest wrote (pure).

A line is ``<time> <stream> <F|P> <text>``: F ends with a newline, P goes on in the next line.
"""

from __future__ import annotations

LIMIT = 64 * 1024
"""What EC2 keeps of a console, in bytes."""


def from_log(raw: bytes) -> bytes:
    """The guest's own bytes; lines that are not the log's own are kept as they are."""
    out = bytearray()
    for line in raw.splitlines(keepends=True):
        fields = line.split(b" ", 3)
        if len(fields) == 4 and fields[1] in (b"stdout", b"stderr") and fields[2] in (b"F", b"P"):
            text = fields[3]
            out += text if fields[2] == b"F" else text.rstrip(b"\n")
        else:
            out += line
    return bytes(out)


def newest(text: bytes, limit: int = LIMIT) -> bytes:
    """The last `limit` bytes, from the start of a line when one starts there."""
    if len(text) <= limit:
        return text
    tail = text[-limit:]
    cut = tail.find(b"\n")
    return tail[cut + 1 :] if 0 <= cut < 1024 else tail
