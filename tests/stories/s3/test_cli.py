"""`aws s3` and `aws s3api` as the course uses them, with both versions of the stock CLI."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.stories.aws_cli import Cli, installed
from tests.stories.served import REGION, Served
from tests.stories.test_aws_cli import version

pytestmark = [pytest.mark.story, pytest.mark.timeout(600)]


@pytest.fixture(params=[version(1), version(2)])
def aws(request: pytest.FixtureRequest, shop: Served, key: tuple[str, str]) -> Cli:
    """The CLI in the hands of an administrator who is not root."""
    tool = installed(request.param)
    assert tool is not None
    return Cli(shop, tool, *key)


def test_make_copy_list_sync_presign_website_remove(aws: Cli, shop: Served, tree: Path) -> None:
    name = f"cj-cli-{aws.major}"
    bucket = f"s3://{name}"
    assert aws.must("s3", "mb", bucket) == f"make_bucket: {name}\n"
    aws.must("s3", "cp", "--no-progress", "tree/large.bin", bucket)  # in parts
    assert aws.must("s3", "ls", bucket).split()[2:] == [str(20 << 20), "large.bin"]
    head = aws.json("s3api", "head-object", "--bucket", name, "--key", "large.bin")
    assert head["ETag"].endswith('-3"')
    assert head["ServerSideEncryption"] == "AES256"
    aws.must("s3", "cp", "--no-progress", f"{bucket}/large.bin", "back.bin")
    assert (shop.folder / "back.bin").read_bytes() == (tree / "large.bin").read_bytes()

    aws.must("s3", "sync", "--no-progress", "tree", f"{bucket}/tree", "--exclude", "*.bin")
    listed = aws.must("s3", "ls", "--recursive", "--summarize", f"{bucket}/tree/")
    assert "tree/a/deep one/ü+%&=?#.txt" in listed
    assert "Total Objects: 2" in listed
    assert aws.must("s3", "sync", "--no-progress", "tree", f"{bucket}/tree", "--exclude", "*.bin") == ""

    url = aws.must("s3", "presign", f"{bucket}/tree/a/deep one/ü+%&=?#.txt").strip()
    with urllib.request.urlopen(url, timeout=60) as answer:
        assert answer.read() == b"names\n"
    with pytest.raises(urllib.error.HTTPError, match="403") as told:
        urllib.request.urlopen(url.partition("?")[0], timeout=60)
    told.value.close()

    aws.must("s3", "website", bucket, "--index-document", "index.html")
    assert aws.json("s3api", "get-bucket-website", "--bucket", name) == {"IndexDocument": {"Suffix": "index.html"}}
    refused = aws.run("s3", "rb", bucket)
    assert refused.status == 1
    assert "BucketNotEmpty" in refused.err
    aws.must("s3", "rm", "--recursive", "--quiet", bucket)
    assert aws.must("s3", "rb", bucket) == f"remove_bucket: {name}\n"


def test_versions_and_what_is_not_there(aws: Cli) -> None:
    name = f"cj-versions-{aws.major}"
    place = ("--bucket", name, "--key", "notes")
    where = f"LocationConstraint={REGION}"
    aws.must("s3api", "create-bucket", "--bucket", name, "--create-bucket-configuration", where)
    none = aws.run("s3api", "get-bucket-policy", "--bucket", name)
    assert none.status == aws.failed
    assert "NoSuchBucketPolicy" in none.err
    aws.must("s3api", "put-bucket-versioning", "--bucket", name, "--versioning-configuration", "Status=Enabled")
    first = aws.json("s3api", "put-object", *place)["VersionId"]
    aws.must("s3api", "put-object", *place)
    marker = aws.json("s3api", "delete-object", *place)
    assert marker["DeleteMarker"] is True
    assert "NoSuchKey" in aws.run("s3api", "get-object", *place, "out").err
    assert aws.json("s3api", "get-object", *place, "--version-id", first, "out")["VersionId"] == first
    assert "BucketNotEmpty" in aws.run("s3api", "delete-bucket", "--bucket", name).err
    query = "[Versions,DeleteMarkers][].VersionId"
    for version_id in aws.text(query, "s3api", "list-object-versions", "--bucket", name).split():
        aws.must("s3api", "delete-object", *place, "--version-id", version_id)
    aws.must("s3api", "delete-bucket", "--bucket", name)
