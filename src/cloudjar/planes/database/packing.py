"""What is handed to a guest: files in one archive."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping


def packed(files: Mapping[str, str]) -> bytes:
    """A tar of texts by name, for nobody but their owner to read."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as out:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(text.encode()), 0o600
            out.addfile(info, io.BytesIO(text.encode()))
    return whole.getvalue()
