"""Records as a file: one after the other, with the delimiter that is wanted, compressed."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Sequence
from typing import Any

_ESCAPES = {"\\n": "\n", "\\r": "\r", "\\t": "\t"}


def delimiter(config: dict[str, Any]) -> bytes:
    """What is appended to every record."""
    processing = config.get("ProcessingConfiguration") or {}
    if not processing.get("Enabled"):
        return b""
    for processor in processing.get("Processors") or ():
        if processor["Type"] == "AppendDelimiterToRecord":
            for one in processor.get("Parameters") or ():
                if one["ParameterName"] == "Delimiter":
                    text = one["ParameterValue"]
                    for written, meant in _ESCAPES.items():
                        text = text.replace(written, meant)
                    return str(text).encode()
            return b"\n"
    return b""


def packed(records: Sequence[bytes], compression: str, name: str, after_each: bytes = b"") -> bytes:
    """The file of records."""
    body = b"".join(data + after_each for data in records) if after_each else b"".join(records)
    if compression == "GZIP":
        return gzip.compress(body, 6, mtime=0)
    if compression == "ZIP":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(name), body, zipfile.ZIP_DEFLATED)
        return out.getvalue()
    return body
