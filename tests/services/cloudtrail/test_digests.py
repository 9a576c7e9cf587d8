"""Digests as the stock AWS CLI judges them: a trail that nobody touched is valid, one that somebody did is not."""

from __future__ import annotations

import gzip
import os
import subprocess

from tests.jar import ACCOUNT, TestJar
from tests.services.cloudtrail.trails import BUCKET, Scene
from tests.stories.aws_cli import installed

_START, _END = "2026-01-15T12:00:00Z", "2026-01-16T12:00:00Z"


def validated(jar: TestJar, arn: str, region: str = "eu-west-3") -> tuple[int, str]:
    """What ``aws cloudtrail validate-logs`` says: exit code and all its words."""
    cli = installed(1)
    assert cli is not None, "the AWS CLI is missing: pip install -e .[clients]"
    known = {
        "PATH": os.environ["PATH"], "HOME": str(jar.home), "AWS_ENDPOINT_URL": jar.endpoint, "AWS_PAGER": "",
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip
    told = ["--trail-arn", arn, "--start-time", _START, "--end-time", _END, "--verbose"]
    ran = subprocess.run([cli.path, "cloudtrail", "validate-logs", *told], env=known, capture_output=True, text=True,
                         timeout=120, check=False)  # fmt: skip
    return ran.returncode, ran.stdout + ran.stderr


def audited(jar: TestJar, calls: int = 3) -> tuple[Scene, str]:
    """A trail with a call every fifty minutes."""
    scene = Scene(jar)
    arn = scene.logging(EnableLogFileValidation=True)
    for number in range(calls):
        jar.client("sqs").create_queue(QueueName=f"q{number}")
        jar.advance(minutes=50)
    return scene, arn


def test_an_untouched_trail_is_valid(jar: TestJar) -> None:
    scene, arn = audited(jar)
    digests = scene.keys("/CloudTrail-Digest/")
    assert digests == [
        f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/eu-west-3/2026/01/15/"
        f"{ACCOUNT}_CloudTrail-Digest_eu-west-3_main_eu-west-3_20260115T{hour}0000Z.json.gz"
        for hour in (13, 14)
    ]
    first, second = (scene.read(key) for key in digests)
    assert first["previousDigestS3Object"] is None
    assert second["previousDigestS3Object"] == digests[0]
    assert [file["s3Object"] for digest in (first, second) for file in digest["logFiles"]] == scene.keys()
    assert scene.trail.get_trail_status(Name="main")["LatestDigestDeliveryTime"].isoformat() == (
        "2026-01-15T14:00:00+00:00"
    )
    [key] = scene.trail.list_public_keys()["PublicKeyList"]
    assert key["Fingerprint"] == first["digestPublicKeyFingerprint"] == second["digestPublicKeyFingerprint"]
    status, said = validated(jar, arn)
    assert status == 0, said
    assert "2/2 digest files valid" in said
    assert "3/3 log files valid" in said
    assert "INVALID" not in said


def _remove(scene: Scene, key: str) -> None:
    scene.s3.delete_object(Bucket=BUCKET, Key=key)


def _change_digest(scene: Scene, key: str) -> None:
    """A space more, which only its signature can tell."""
    held = scene.s3.get_object(Bucket=BUCKET, Key=key)
    with held["Body"] as body:
        text = gzip.decompress(body.read()).replace(b'"logFiles":[{', b'"logFiles": [{')
    scene.s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(text), Metadata=held["Metadata"])


def test_a_trail_that_was_touched_is_not(steady_jar: TestJar) -> None:
    scene, arn = audited(steady_jar, 6)
    _change_digest(scene, scene.keys("/CloudTrail-Digest/")[0])
    [_, _, second, third, *_] = scene.keys()
    _remove(scene, second)
    scene.s3.put_object(Bucket=BUCKET, Key=third, Body=gzip.compress(b'{"Records":[]}'))
    status, said = validated(steady_jar, arn)
    assert status == 1, said
    assert f"{second}\tINVALID: not found" in said
    assert f"{third}\tINVALID: hash value doesn't match" in said
    assert "INVALID: signature verification failed" in said
    gone = scene.keys("/CloudTrail-Digest/")[2]
    _remove(scene, gone)
    status, said = validated(steady_jar, arn)
    assert status == 1, said
    assert f"{gone}\tINVALID: not found" in said


def test_the_last_digest_names_the_last_file(steady_jar: TestJar) -> None:
    jar = steady_jar
    scene, arn = audited(jar)
    scene.trail.stop_logging(Name="main")
    jar.advance(hours=3)
    digests = [scene.read(key) for key in scene.keys("/CloudTrail-Digest/")]
    assert len(digests) == 3
    assert "StopLogging" in scene.names()
    named = [file["s3Object"] for digest in digests for file in digest["logFiles"]]
    assert named == scene.keys()
    scene.trail.start_logging(Name="main")
    jar.client("sqs").create_queue(QueueName="again")
    jar.advance(hours=1)
    newest = scene.read(scene.keys("/CloudTrail-Digest/")[-1])
    assert newest["previousDigestSignature"] is None
    status, said = validated(jar, arn)
    assert status == 0, said
    assert "No log files were delivered by CloudTrail between" in said
