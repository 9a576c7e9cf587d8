"""Whatever harm comes to files or counts is found, told by name, and mended where it can be."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloudjar.planes.objects.port import Blob, Rotten
from cloudjar.store.blobs import Blobs
from cloudjar.store.database import Database
from cloudjar.store.soundness import Report, check

CONTENT = hashlib.shake_256(b"sound").digest(600_000)


class Place:
    """Objects with names, in a store."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "cloudjar.db", durable=False)
        self.blobs = Blobs(self.database, folder / "objects", durable=False)
        self.objects: dict[str, tuple[Blob, bytes]] = {}

    def put(self, name: str, content: bytes = CONTENT) -> None:
        landed = self.blobs.take(content)
        with self.database.transaction():
            self.objects[name] = (self.blobs.keep(landed), landed.key)

    def copy(self, name: str, to: str) -> None:
        blob, key = self.objects[name]
        with self.database.transaction():
            self.objects[to] = (self.blobs.share(blob), key)

    def file(self, name: str) -> Path:
        return self.blobs.files.place(self.objects[name][0].pieces[0].file)

    def check(self, *, repair: bool = False) -> Report:
        return check(self.database, self.blobs, lambda: ((n, b) for n, (b, _) in self.objects.items()), repair=repair)

    def read(self, name: str) -> bytes:
        return self.blobs.read(*self.objects[name])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    made.put("a")
    made.put("b", CONTENT[::-1])
    made.put("small", b"small")
    made.copy("a", "copy of a")
    yield made
    made.blobs.close()
    made.database.close()


def test_what_is_sound_is_told_so(place: Place) -> None:
    report = place.check()
    assert (report.is_sound, report.blobs, report.files) == (True, 4, 2)
    assert report.bytes > 2 * len(CONTENT)


def flip(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[300_000] ^= 4
    path.write_bytes(whole)


@pytest.mark.parametrize("harm", [flip, lambda path: os.truncate(path, 1000), lambda path: path.write_bytes(b"")])
def test_rot_is_told_by_everybody_who_refers_to_it_and_put_aside(place: Place, harm: Callable[[Path], None]) -> None:
    harm(place.file("a"))
    report = place.check()
    assert (sorted(report.rotten), report.lost, report.orphans) == (["a", "copy of a"], [], [])
    assert place.file("a").exists()
    place.check(repair=True)
    assert not place.file("a").exists()
    for name in ("a", "copy of a"):
        with pytest.raises(Rotten):
            place.read(name)
    assert place.read("b") == CONTENT[::-1]
    after = place.check()
    assert (after.rotten, sorted(after.lost)) == ([], ["a", "copy of a"])


def test_a_lost_file_is_told(place: Place) -> None:
    place.file("b").unlink()
    assert place.check(repair=True).lost == ["b"]


def test_a_rotten_inline_blob_is_told(place: Place) -> None:
    blob, key = place.objects["small"]
    place.objects["small"] = (Blob(5, blob.inline[:-20] + b"!" + blob.inline[-19:]), key)
    assert place.check().rotten == ["small"]


def test_files_of_nobody_go(place: Place) -> None:
    stray = place.blobs.files.place("aaaaaaaaaaaaaaaa")
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"stray")
    assert place.check().orphans == ["aaaaaaaaaaaaaaaa"]
    assert stray.exists()
    place.check(repair=True)
    assert not stray.exists()
    assert place.check().is_sound


def test_counts_are_corrected(place: Place) -> None:
    del place.objects["b"]
    place.objects["third"] = place.objects["a"]
    report = place.check(repair=True)
    assert len(report.miscounted) == 2
    assert place.check().is_sound
    for name in ("a", "copy of a", "third"):
        assert place.read(name) == CONTENT
        with place.database.transaction():
            place.blobs.drop(place.objects.pop(name)[0])
    place.blobs.close()
    assert list(place.blobs.files.settled()) == []


def test_a_lost_count_comes_back(place: Place) -> None:
    with place.database.transaction():
        place.database.execute("DELETE FROM object_file")
    assert len(place.check(repair=True).miscounted) == 2
    assert place.check().is_sound
