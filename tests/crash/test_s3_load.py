"""Objects under kill -9: sixteen writers at once, and after each crash every object is what its writer was told, or
what he was just about to make of it; whole in either case, and no file is left over."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from cloudjar.services.s3.objects.references import references
from cloudjar.store.blobs import Blobs
from cloudjar.store.database import Database
from cloudjar.store.soundness import check
from tests.crash.client import REGION, Client, Crashed
from tests.crash.server import ServerProcess

BUCKET = "under-fire"
WRITERS = 16
KEYS = 3
SIZES = (0, 900, 9_000, 40_000, 300_000, 700_000)


class Writer:
    """One client with keys of its own. `told` is what it knows of each: the name of its content, or "" for none;
    `doubtful` what may be as well, since the answer never came."""

    def __init__(self, server: ServerProcess, number: int) -> None:
        self.client = Client(server)
        self.number = number
        self.draw = random.Random(number)
        self.turn = 0
        self.told = {f"writer {number}/{key}": "" for key in range(KEYS)}
        self.doubtful: tuple[str, str] | None = None

    def act(self) -> None:
        """One change, drawn beforehand. Raises Crashed."""
        self.turn += 1
        key = self.draw.choice(sorted(self.told))
        what = self.draw.choice((self._put, self._put, self._put, self._upload, self._copy, self._delete))
        what(key)

    def _change(self, key: str, name: str, operation: str, **params: object) -> None:
        self.doubtful = (key, name)
        self.client.call("s3", operation, Bucket=BUCKET, Key=key, **params)
        self.told[key], self.doubtful = name, None

    def _name(self) -> str:
        return f"{self.number}-{self.turn}-{self.draw.choice(SIZES)}"

    def _put(self, key: str) -> None:
        name = self._name()
        self._change(key, name, "put_object", Body=content(name))

    def _delete(self, key: str) -> None:
        self._change(key, "", "delete_object")

    def _copy(self, key: str) -> None:
        source = self.draw.choice(sorted(self.told))
        if self.told[source] and source != key:
            self._change(key, self.told[source], "copy_object", CopySource={"Bucket": BUCKET, "Key": source})

    def _upload(self, key: str) -> None:
        name = self._name()
        call = partial(self.client.call, "s3", Bucket=BUCKET, Key=key)
        upload = call(operation="create_multipart_upload")["UploadId"]
        part = call(operation="upload_part", UploadId=upload, PartNumber=1, Body=content(name))
        parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
        self._change(key, name, "complete_multipart_upload", UploadId=upload, MultipartUpload={"Parts": parts})

    def look(self) -> None:
        """Every key is what was told, or what was in doubt."""
        for key, name in self.told.items():
            allowed = {name}
            if self.doubtful is not None and self.doubtful[0] == key:
                allowed.add(self.doubtful[1])
            found = self._read(key)
            matching = [one for one in allowed if found == (content(one) if one else None)]
            assert matching, f"{key} is none of {allowed} but {len(found or b'')} bytes"
            self.told[key] = matching[0]
        self.doubtful = None

    def _read(self, key: str) -> bytes | None:
        try:
            return bytes(self.client.call("s3", "get_object", Bucket=BUCKET, Key=key)["Body"].read())
        except ClientError as refused:
            if refused.response["Error"]["Code"] != "NoSuchKey":
                raise
            return None


def content(name: str) -> bytes:
    """The bytes that a name stands for."""
    return hashlib.shake_256(name.encode()).digest(int(name.rpartition("-")[2]))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path / "home")
    process.start()
    yield process
    process.kill()


def write_until_killed(server: ServerProcess, writers: list[Writer], enough: int) -> None:
    """All write at once until so many changes were acknowledged and the server is killed for it."""
    done: list[int] = []

    def write(writer: Writer) -> None:
        try:
            while not server.dead:
                writer.act()
                done.append(writer.number)
                if len(done) == enough:
                    server.kill()
        except Crashed:
            return

    threads = [threading.Thread(target=write, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(240)
    assert server.dead, "somebody failed before the kill"
    assert len(done) >= enough


def survive(server: ServerProcess, kills: int, seed: int) -> None:
    draw = random.Random(seed)
    place = {"LocationConstraint": REGION}
    Client(server).call("s3", "create_bucket", Bucket=BUCKET, CreateBucketConfiguration=place)
    writers = [Writer(server, number) for number in range(WRITERS)]
    for _ in range(kills):
        write_until_killed(server, writers, draw.randrange(1, 120))
        server.start()
        assert list((server.home / "objects" / "arriving").iterdir()) == [], "what nobody was told of is gone"
        for writer in writers:
            writer.look()
    assert server.stop() == 0
    database = Database(server.home / "cloudjar.db")
    blobs = Blobs(database, server.home / "objects")
    report = check(database, blobs, partial(references, database))
    blobs.close()
    database.close()
    assert report.is_sound, report
    log = server.log.read_text()
    assert "Traceback" not in log, log[-6000:]


def test_sixteen_writers_and_three_kills(server: ServerProcess) -> None:
    survive(server, kills=3, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(2, 6))
def test_sixteen_writers_and_two_hundred_kills(server: ServerProcess, seed: int) -> None:
    survive(server, kills=50, seed=seed)
