"""Programs that keep files in S3: rclone, s3cmd, restic as Debian packages them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.stories.s3.conftest import Tool, same
from tests.stories.served import REGION, Served

pytestmark = [pytest.mark.story, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def bucket(shop: Served) -> str:
    """A bucket with versions, so that what tools remove can be seen."""
    s3 = shop.client("s3")
    s3.create_bucket(Bucket="cj-tools", CreateBucketConfiguration={"LocationConstraint": REGION})
    return "cj-tools"


@pytest.mark.parametrize("style", ["path", "host"])
def test_rclone_syncs_checks_and_brings_back(run: Tool, shop: Served, tree: Path, bucket: str, style: str) -> None:
    port = shop.endpoint.rpartition(":")[2]
    (shop.folder / "rclone.conf").write_text(
        f"[jar]\ntype = s3\nprovider = AWS\nenv_auth = true\nregion = {REGION}\nacl = bucket-owner-full-control\n"
        f"endpoint = http://s3.localhost:{port}\nforce_path_style = {str(style == 'path').lower()}\n"
    )
    rclone = ("rclone", "--config", "rclone.conf", "--retries", "1")
    there, back = f"jar:{bucket}/rclone-{style}", shop.folder / f"rclone-{style}"
    run(*rclone, "sync", str(tree), there)
    run(*rclone, "check", str(tree), there)
    assert json.loads(run(*rclone, "size", "--json", there))["count"] == 8
    assert run(*rclone, "cat", f"{there}/a/deep one/ü+%&=?#.txt") == "names\n"
    run(*rclone, "deletefile", f"{there}/empty")
    run(*rclone, "copy", "--multi-thread-streams", "4", "--multi-thread-cutoff", "5M", there, str(back))
    assert not (back / "empty").exists()
    (back / "empty").touch()
    assert same(tree, back)
    run(*rclone, "purge", there)
    assert run(*rclone, "lsf", "-R", f"jar:{bucket}").count(f"rclone-{style}") == 0


def test_s3cmd_syncs_there_and_back(run: Tool, shop: Served, tree: Path, bucket: str, key: tuple[str, str]) -> None:
    host = shop.endpoint.removeprefix("http://")
    (shop.folder / "s3cfg").write_text(
        f"[default]\naccess_key = {key[0]}\nsecret_key = {key[1]}\nhost_base = {host}\nhost_bucket = {host}\n"
        f"use_https = False\nbucket_location = {REGION}\nmultipart_chunk_size_mb = 5\n"
    )
    s3cmd = ("s3cmd", "-c", "s3cfg", "--no-progress")
    there, back = f"s3://{bucket}/s3cmd/", shop.folder / "s3cmd"
    back.mkdir()
    run(*s3cmd, "sync", f"{tree}/", there)
    run(*s3cmd, "sync", there, f"{back}/")
    assert same(tree, back)
    (tree / "a" / "file 1.bin").write_bytes(b"changed")
    assert "file 1.bin" in run(*s3cmd, "sync", "--delete-removed", f"{tree}/", there)
    assert "file 2.bin" not in run(*s3cmd, "sync", f"{tree}/", there)
    assert "SSE:       AES256" in run(*s3cmd, "info", f"{there}large.bin")
    run(*s3cmd, "del", "--recursive", "--force", there)
    assert run(*s3cmd, "ls", "--recursive", there) == ""


def test_restic_backs_up_verifies_and_restores(run: Tool, shop: Served, tree: Path, bucket: str) -> None:
    where = {"RESTIC_PASSWORD": "quiet", "RESTIC_REPOSITORY": f"s3:{shop.endpoint}/{bucket}/restic"}
    run("restic", "init", **where)
    run("restic", "backup", "tree", **where)
    (tree / "a" / "file 2.bin").write_bytes(b"broken")
    run("restic", "backup", "tree", **where)
    assert "no errors were found" in run("restic", "check", "--read-data", **where)
    first, second = (s["short_id"] for s in json.loads(run("restic", "snapshots", "--json", **where)))
    run("restic", "restore", second, "--target", "restored", **where)
    (found,) = (shop.folder / "restored").rglob("tree")
    assert same(tree, found)
    run("restic", "restore", first, "--target", "yesterday", **where)  # yesterday's backup, before it was broken
    (found,) = (shop.folder / "yesterday").rglob("tree")
    assert (found / "a" / "file 2.bin").read_bytes() == bytes([2]) * 20_000
    run("restic", "forget", "--keep-last", "1", "--prune", **where)
    assert "no errors were found" in run("restic", "check", "--read-data", **where)
