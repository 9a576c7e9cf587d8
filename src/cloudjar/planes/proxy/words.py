"""Text that may stand in HAProxy's configuration; pure."""

from __future__ import annotations

SERVER = "awselb/2.0"


def quoted(text: str) -> str:
    """One word of a configuration, whatever is in it; control characters raise `ValueError`."""
    if any(ord(c) < 32 or ord(c) == 127 for c in text):
        raise ValueError("control characters have no place in a configuration")
    return "'" + text.replace("'", "'\\''") + "'"
