"""Files and rows agree after every transaction, and after every crash between two steps of it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudjar.base.clock import monotonic
from cloudjar.planes.objects.port import FRAME, Blob, Landed, Rotten
from cloudjar.planes.objects.sink import FileLanded
from cloudjar.store import blobs as blobs_module
from cloudjar.store.blobs import Blobs
from cloudjar.store.database import Database

CONTENT = hashlib.shake_256(b"blobs").digest(2 * FRAME + 77)


class Home:
    """A store that can be dropped and opened again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.open()

    def open(self) -> None:
        self.database = Database(self.path / "cloudjar.db", durable=False)
        self.blobs = Blobs(self.database, self.path / "objects", durable=False)
        self.blobs.recover()

    def crash(self) -> None:
        self.blobs.close()
        self.database.close()
        self.open()

    @property
    def on_disk(self) -> list[str]:
        self.blobs.close()  # what is being removed is removed
        return sorted(path.name for path in (self.path / "objects").rglob("*") if path.is_file())

    @property
    def counted(self) -> dict[str, int]:
        return dict(self.blobs.counts())

    def keep(self, content: bytes = CONTENT) -> tuple[Blob, bytes]:
        landed = self.blobs.take(content)
        return self.keep_landed(landed), landed.key

    def keep_landed(self, landed: Landed) -> Blob:
        with self.database.transaction():
            return self.blobs.keep(landed)

    def drop(self, blob: Blob) -> None:
        with self.database.transaction():
            self.blobs.drop(blob)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    made.blobs.close()
    made.database.close()


def test_what_is_kept_survives_and_what_is_dropped_goes(home: Home) -> None:
    blob, key = home.keep()
    home.crash()
    assert home.blobs.read(blob, key) == CONTENT
    assert home.on_disk == [blob.pieces[0].file] == list(home.counted)
    home.drop(blob)
    assert (home.on_disk, home.counted) == ([], {})
    with pytest.raises(Rotten):
        home.blobs.read(blob, key)


def test_what_nobody_recorded_is_gone_after_a_crash(home: Home) -> None:
    home.blobs.take(CONTENT)
    sink = home.blobs.sink()
    sink.feed(CONTENT)
    assert len(home.on_disk) == 2
    home.crash()
    assert home.on_disk == []
    sink.abort()


def test_what_arrives_while_others_are_recovered_stays(home: Home) -> None:
    landed = home.blobs.take(CONTENT)
    home.blobs.recover()
    with home.database.transaction():
        blob = home.blobs.keep(landed)
    assert home.blobs.read(blob, landed.key) == CONTENT


def test_nothing_is_recorded_twice_or_after_it_was_removed(home: Home) -> None:
    for end in (lambda landed: landed.close(), lambda landed: home.drop(home.keep_landed(landed))):
        landed = home.blobs.take(CONTENT)
        end(landed)
        with pytest.raises(LookupError), home.database.transaction():
            home.blobs.keep(landed)


def test_a_transaction_that_failed_neither_keeps_nor_drops(home: Home) -> None:
    kept, key = home.keep()
    landed = home.blobs.take(CONTENT)

    def fail() -> None:
        with home.database.transaction():
            home.blobs.keep(landed)
            home.blobs.drop(kept)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert home.blobs.read(kept, key) == CONTENT
    landed.close()
    assert home.on_disk == [kept.pieces[0].file]


def test_a_crash_between_commit_and_the_move_is_made_good(home: Home) -> None:
    landed = home.blobs.take(CONTENT)
    with home.database.transaction():
        blob = home.blobs.keep(landed)
        home.database._on_commit.clear()  # the process dies before anything follows the commit
    assert home.blobs.read(blob, landed.key) == CONTENT
    home.crash()
    assert home.blobs.files.place(blob.pieces[0].file).exists()
    assert home.blobs.read(blob, landed.key) == CONTENT


def test_a_crash_between_commit_and_the_removal_is_made_good(home: Home) -> None:
    blob, _ = home.keep()
    with home.database.transaction():
        home.blobs.drop(blob)
        home.database._on_commit.clear()
    assert home.on_disk == [blob.pieces[0].file]
    home.crash()
    assert (home.on_disk, home.counted) == ([], {})
    assert home.database.query("SELECT * FROM object_file") == []


def test_rows_of_removed_files_go_with_the_next_change(home: Home) -> None:
    first, second = home.keep()[0], home.keep()[0]
    home.drop(first)
    assert len(home.on_disk) == 1
    home.drop(second)
    assert len(home.database.query("SELECT * FROM object_file")) == 1


def test_a_copy_shares_and_the_last_reference_removes(home: Home) -> None:
    blob, key = home.keep()
    with home.database.transaction():
        copy = home.blobs.share(blob)
    home.drop(blob)
    assert home.blobs.read(copy, key) == CONTENT
    home.drop(copy)
    assert home.on_disk == []


def test_nobody_shares_what_is_gone(home: Home) -> None:
    blob, _ = home.keep()
    home.drop(blob)
    with pytest.raises(LookupError), home.database.transaction():
        home.blobs.share(blob)


def test_parts_become_one_blob_without_copying(home: Home) -> None:
    parts = [home.keep(), home.keep(CONTENT[::-1]), home.keep(b"the end")]
    before = home.on_disk
    key = home.blobs.new_key()
    whole = home.blobs.compose(parts, key)
    content = CONTENT + CONTENT[::-1] + b"the end"
    assert home.blobs.read(whole, key) == content
    across = len(CONTENT) - 5, len(CONTENT) + 9
    assert home.blobs.read(whole, key, *across) == content[across[0] :][: across[1]]
    assert home.blobs.read(whole, key, 2 * len(CONTENT) + 2, 3) == b"e e"
    assert home.on_disk == before
    home.drop(whole)
    assert home.on_disk == []


def test_a_slice_of_a_composed_blob_is_a_blob_of_its_own(home: Home) -> None:
    key = home.blobs.new_key()
    whole = home.blobs.compose([home.keep(), home.keep(b"the end")], key)
    with home.database.transaction():
        cut = home.blobs.slice(whole, key, FRAME + 3, len(CONTENT) - FRAME)
    home.drop(whole)
    assert home.blobs.read(cut, key) == (CONTENT + b"the end")[FRAME + 3 :][: len(CONTENT) - FRAME]
    with home.database.transaction():
        again = home.blobs.compose([(cut, key), home.keep(b"!"), home.keep(b"?")], own := home.blobs.new_key())
    assert home.blobs.read(again, own)[-5:] == b"the!?"
    home.crash()
    assert home.blobs.read(again, own)[-5:] == b"the!?"
    home.drop(again)
    assert home.on_disk == []


def test_a_body_is_taken_as_it_comes(home: Home) -> None:
    landed = home.blobs.take(CONTENT, {"sha1": hashlib.sha1()})
    assert isinstance(landed, FileLanded)
    again = home.blobs.take(landed, {"sha256": hashlib.sha256(), "sha1": hashlib.sha1()})
    assert again is landed
    assert again.digests == {"sha1": hashlib.sha1(CONTENT).digest(), "sha256": hashlib.sha256(CONTENT).digest()}
    assert home.blobs.read(home.blobs.take(None).blob, b"") == b""


def sweep_all(home: Home) -> None:
    """As many sweeps as it takes to have looked everywhere."""
    for _ in range(24):
        home.blobs.sweep()


def test_a_sweep_removes_what_is_nobodys_and_nothing_else(home: Home) -> None:
    kept, key = home.keep()
    underway = home.blobs.take(CONTENT)
    stray = home.blobs.files.place("abcdefghijklmnop")
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"whose?")
    left = home.path / "objects" / "arriving" / "ponmlkjihgfedcba"
    left.write_bytes(b"of an earlier life")
    sweep_all(home)
    assert (stray.exists(), left.exists()) == (False, False)
    assert home.blobs.read(kept, key) == CONTENT
    blob = home.keep_landed(underway)
    assert home.blobs.read(blob, underway.key) == CONTENT


def test_a_sweep_removes_what_could_not_be_removed_before(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    blob, _ = home.keep()

    def fails(self: Path, missing_ok: bool = False) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", fails)
        home.drop(blob)
        assert home.on_disk == [blob.pieces[0].file]
    home.blobs.sweep()
    assert (home.on_disk, home.database.query("SELECT * FROM object_file")) == ([], [])


def test_a_sweep_waits_for_who_reads(home: Home) -> None:
    blob, key = home.keep()
    with contextlib.closing(home.blobs.open(blob, key)) as source:
        home.drop(blob)
        sweep_all(home)
        assert b"".join(source) == CONTENT
    sweep_all(home)
    assert (home.on_disk, home.database.query("SELECT * FROM object_file")) == ([], [])


def test_sweeps_come_by_themselves(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    later = monotonic() + 2 * 3600
    monkeypatch.setattr(blobs_module, "monotonic", lambda: later)
    left = home.path / "objects" / "arriving" / "ponmlkjihgfedcba"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(b"of an earlier life")
    blob, _ = home.keep()
    assert home.on_disk == [blob.pieces[0].file]
