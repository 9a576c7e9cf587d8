"""The checksum by which a file is known to be as it was written, by who does not have its key: CRC64NVME."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from cloudjar.planes.objects.frames import STRIDE
from cloudjar.planes.objects.port import Stored

_READ = 4 * STRIDE


@cache
def _function() -> Callable[[bytes | memoryview, int], int]:
    from awscrt.checksums import crc64nvme  # slow to load: a server without large objects does without

    function: Callable[[bytes | memoryview, int], int] = crc64nvme  # type: ignore[assignment] # its stub knows bytes
    return function


def of(data: bytes | memoryview, before: int = 0) -> int:
    """The checksum of what gave `before`, followed by `data`."""
    return _function()(data, before)


def told(value: int) -> bytes:
    """A checksum as it is kept."""
    return value.to_bytes(8, "big")


def of_file(path: Path) -> Stored:
    """What a file is now. Raises OSError."""
    size = value = 0
    with path.open("rb") as file:
        while data := file.read(_READ):
            size += len(data)
            value = of(data, value)
    return Stored(size, told(value))
