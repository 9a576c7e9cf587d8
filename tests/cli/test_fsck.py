"""`cloudjar fsck` on what a real jar left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cloudjar.cli.fsck import fsck
from tests.jar import running

CONTENT = bytes(range(256)) * 2000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A jar that was stopped: a bucket with versions, a copy, an upload under way."""
    with running(tmp_path / "home") as jar:
        s3 = jar.client("s3")
        s3.create_bucket(Bucket="sound-jar", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
        s3.put_bucket_versioning(Bucket="sound-jar", VersioningConfiguration={"Status": "Enabled"})
        for content in (CONTENT, CONTENT[::-1], b"small"):
            s3.put_object(Bucket="sound-jar", Key="photos/a", Body=content)
        s3.put_object(Bucket="sound-jar", Key="b", Body=CONTENT)
        s3.copy_object(Bucket="sound-jar", Key="copy of b", CopySource="sound-jar/b")
        s3.delete_object(Bucket="sound-jar", Key="b")
        upload = s3.create_multipart_upload(Bucket="sound-jar", Key="c")["UploadId"]
        s3.upload_part(Bucket="sound-jar", Key="c", UploadId=upload, PartNumber=1, Body=CONTENT)
    return tmp_path / "home"


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(fsck, ["--home", str(home), *arguments])


def files(home: Path) -> list[Path]:
    return sorted(path for path in (home / "objects").rglob("*") if path.is_file())


def test_a_jar_that_was_stopped_is_sound(home: Path) -> None:
    done = run(home)
    assert (done.exit_code, done.output) == (0, "6 objects and parts, 4 files of 2,048,128 bytes: all sound.\n")


def test_harm_is_told_by_bucket_key_and_version_and_readers_get_an_error(home: Path) -> None:
    for path in files(home):
        whole = bytearray(path.read_bytes())
        whole[77] ^= 1
        path.write_bytes(whole)
    done = run(home, "--json", "--repair")
    told = json.loads(done.output)
    assert (done.exit_code, told["sound"], told["lost"]) == (1, False, [])
    assert sorted(name.partition(" (")[0] for name in told["rotten"])[1:] == [
        "s3://sound-jar/b", "s3://sound-jar/copy of b", "s3://sound-jar/photos/a", "s3://sound-jar/photos/a",
    ]  # fmt: skip
    assert told["rotten"][-1].startswith("part 1 of upload ")
    with running(home) as jar:
        s3 = jar.client("s3")
        assert s3.get_object(Bucket="sound-jar", Key="photos/a")["Body"].read() == b"small"
        with pytest.raises(s3.exceptions.ClientError) as error:
            s3.get_object(Bucket="sound-jar", Key="copy of b")
        assert error.value.response["Error"]["Code"] == "InternalError"
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_a_folder_without_a_jar_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path / "empty")
    assert (done.exit_code, "there is nothing to check" in done.output) == (1, True)
