"""A page of a listing, and what the index weighs: 1,000 keys against 1,000,000, and 10,000,000 with ``--large``.

    python bench/s3_list.py [--large]

The index is filled directly, as handlers do it, in a file on disk. Told are the processor times of a first page, a page
deep inside, one below a deep prefix and pages of common prefixes; the bytes of the file by object; how long it takes
to open it. The bar: a page at 1,000,000 keys within 1.5 times that at 1,000; under 1.2 KB an object.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cloudjar.planes.objects.port import Blob, Piece
from cloudjar.services.s3.listing import walks
from cloudjar.services.s3.objects.index import Index
from cloudjar.services.s3.objects.rows import Content, Encryption, Version
from cloudjar.store.database import Database

_SMALL, _MANY, _LARGE = 1_000, 1_000_000, 10_000_000
_FOLDERS = 10_000
_BATCH = 100_000
_ROUNDS = 15
_RATIO, _BYTES = 1.5, 1200


def key_of(number: int) -> str:
    """Ten thousand folders with folders in them."""
    return f"data/2026/{number % _FOLDERS:05}/part={number // _FOLDERS % 100:03}/file-{number:09}.parquet"


def object_of(bucket: str, number: int) -> Version:
    """An object as PutObject records it: in a file, with a checksum, a content type, some metadata and a sealed key."""
    return Version(
        bucket=bucket,
        key=key_of(number),
        seq=1_763_800_000_000_000 + number,
        size=1 << 20,
        etag=f"{number:032x}",
        modified=1_763_800_000,
        owner="000000000000",
        content_type="application/vnd.apache.parquet",
        metadata={"source": "bench"},
        checksums={"CRC64NVME": "AAAAAAAAAAA="},
        sse=Encryption(),
        content=Content(Blob(1 << 20, b"", (Piece(f"{number:032x}", 1 << 20),)), bytes(60)),
    )


def fill(index: Index, bucket: str, count: int, *, ordered: bool) -> None:
    """So many objects: in the order of their numbers, which is not that of their keys, or (`ordered`) in that of their
    keys, which takes minutes where the other takes hours."""
    folders = min(_FOLDERS, count)
    numbers: Sequence[int] = range(count)
    if ordered:
        numbers = [folder + _FOLDERS * at for folder in range(folders) for at in range(count // folders)]
    for start in range(0, count, _BATCH):
        with index.database.transaction():
            for number in numbers[start : start + _BATCH]:
                index.replace(object_of(bucket, number), None)
        index.database.checkpoint()


def pages(index: Index, bucket: str, count: int) -> dict[str, Callable[[], walks.Page]]:
    """The pages that are measured: each shows as many entries however many keys there are."""
    middle = key_of(count // 2)
    folder = middle.rpartition("/")[0] + "/"
    return {
        "first page of 100": lambda: walks.current(index, bucket, limit=100),
        "page of 100 from the middle": lambda: walks.current(index, bucket, start=middle, limit=100),
        "one deep prefix": lambda: walks.current(index, bucket, prefix=folder, limit=1),
        "100 common prefixes": lambda: walks.current(index, bucket, prefix="data/2026/", delimiter="/", limit=100),
        "one common prefix": lambda: walks.current(index, bucket, delimiter="/"),
        "versions, first page of 100": lambda: walks.versions(index, bucket, limit=100),
    }


def microseconds(page: Callable[[], walks.Page]) -> float:
    """The least processor time of a page over some rounds: a busy machine does not show."""
    page()
    taken = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        for _ in range(5):
            page()
        taken.append((time.process_time() - start) / 5)
    return min(taken) * 1e6


def compare(index: Index, small: str, large: str, count: int) -> bool:
    """Tell each page's time in both buckets; True when all keep the bar."""
    few, many = pages(index, small, _SMALL), pages(index, large, count)
    good = True
    for name, page in few.items():
        before, after = microseconds(page), microseconds(many[name])
        good &= after / before <= _RATIO
        print(f"  {name:<30}{before:10.0f} us{after:10.0f} us   x{after / before:.2f}")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="10,000,000 objects")
    parser.add_argument("--folder", default=None, help="where to make the file")
    asked = parser.parse_args()
    count = _LARGE if asked.large else _MANY
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        file = Path(folder) / "index.db"
        database = Database(file, durable=False)
        index = Index(database)
        database.execute("PRAGMA cache_size=-1000000")  # while it is filled only
        database.execute("PRAGMA synchronous=OFF")
        fill(index, "small", _SMALL, ordered=False)
        fill(index, "large", count, ordered=asked.large)
        database.close()
        size = file.stat().st_size / (count + _SMALL)
        start = time.perf_counter()
        database = Database(file, durable=False)
        index = Index(database)
        opened = time.perf_counter() - start
        print(f"{count:,} objects: {size:.0f} bytes an object, opened in {opened * 1000:.1f} ms")
        print("1,000 keys against all:")
        good = compare(index, "small", "large", count)
        database.close()
    return 0 if good and size < _BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
