"""Secrets on disk: after every way of writing and reading one, no file of the data directory has its text, and the
trail has none either."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from tests.jar import TestJar
from tests.services.secretsmanager.asking import refused, statement, token, user
from tests.services.secretsmanager.rotating import ARN, Database, PythonFunctions, Rotator, lend

MARK = "hush-{:03d}-qzxwvjk-nobody-may-find-this"


class Hidden:
    """Values that are handed out, each another, so that it can be told which of them got out."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def new(self) -> str:
        self.given.append(MARK.format(len(self.given)))
        return self.given[-1]


def forms(value: str) -> list[bytes]:
    """A value as it might be found: as it is, in other encodings, or the middle of its base64 at any offset."""
    raw = value.encode()
    padded = [base64.b64encode(b"\0" * shift + raw)[4:-4] for shift in range(3)]
    return [raw, raw.hex().encode(), value.encode("utf-16-le"), raw[::-1], *padded]


def leaks(home: Path, hidden: Hidden) -> list[tuple[str, str]]:
    """(file, value) of everything that can be read."""
    found = []
    files = [path for path in home.rglob("*") if path.is_file()]
    assert any(path.name == "cloudjar.db" for path in files)
    for path in files:
        data = path.read_bytes()
        found += [(path.name, value) for value in hidden.given if any(form in data for form in forms(value))]
    return found


def use_secrets(jar: TestJar, hidden: Hidden) -> None:
    """Every operation of Secrets Manager that takes or gives a value."""
    secrets = jar.client("secretsmanager")
    key = jar.client("kms").create_key()["KeyMetadata"]["Arn"]
    one = secrets.create_secret(
        Name="one", SecretString=hidden.new(), ClientRequestToken=token(1), AddReplicaRegions=[{"Region": "us-east-1"}]
    )
    secrets.create_secret(Name="one", SecretString=hidden.given[-1], ClientRequestToken=token(1))
    secrets.create_secret(Name="two", SecretBinary=hidden.new().encode(), KmsKeyId=key)
    secrets.put_secret_value(SecretId="one", SecretString=hidden.new(), ClientRequestToken=token(2))
    secrets.put_secret_value(SecretId="two", SecretBinary=hidden.new().encode())
    secrets.update_secret(SecretId="one", SecretString=hidden.new(), ClientRequestToken=token(3))
    secrets.update_secret(SecretId="one", KmsKeyId=key)
    with refused("ResourceExistsException"):
        secrets.put_secret_value(SecretId="one", SecretString=hidden.new(), ClientRequestToken=token(3))
    with refused("ValidationException"):
        secrets.create_secret(Name="long", SecretString=hidden.new() * 4000)
    with refused("ValidationException"):
        secrets.put_secret_value(SecretId="x" * 3000, SecretString=hidden.new())
    nobody = jar.client("secretsmanager", **user(jar, "nobody", statement("ec2:*")))
    with refused("AccessDeniedException"):
        nobody.put_secret_value(SecretId="one", SecretString=hidden.new())
    assert secrets.get_secret_value(SecretId="one")["SecretString"] == hidden.given[4]
    assert jar.client("secretsmanager", region="us-east-1").get_secret_value(SecretId=one["Name"])["SecretString"]
    assert len(secrets.batch_get_secret_value(SecretIdList=["one", "two"])["SecretValues"]) == 2
    hidden.given.append(secrets.get_random_password(ExcludePunctuation=True)["RandomPassword"])


def use_rotation(jar: TestJar, hidden: Hidden) -> None:
    """A rotation that makes a password."""
    secrets, database = jar.client("secretsmanager"), Database(hidden.new())
    lend(jar, PythonFunctions({ARN: Rotator(jar, database)}))
    secrets.create_secret(Name="rotated", SecretString=database.password)
    secrets.rotate_secret(SecretId="rotated", RotationLambdaARN=ARN, RotationRules={"AutomaticallyAfterDays": 1})
    jar.settle()
    assert database.password != hidden.given[-1]
    hidden.given.append(database.password)


def use_parameters(jar: TestJar, hidden: Hidden) -> None:
    """Every operation of Parameter Store that takes or gives a SecureString."""
    store = jar.client("ssm")
    for tier in ("Standard", "Advanced"):
        for name in (f"/{tier}/a", f"/{tier}/b"):
            store.put_parameter(Name=name, Value=hidden.new(), Type="SecureString", Tier=tier)
            store.put_parameter(Name=name, Value=hidden.new(), Overwrite=True)
        with refused("ParameterAlreadyExists"):
            store.put_parameter(Name=f"/{tier}/a", Value=hidden.new(), Type="SecureString", Tier=tier)
    with refused("ParameterPatternMismatchException"):
        store.put_parameter(Name="/c", Value=hidden.new(), Type="SecureString", AllowedPattern="[0-9]+")
    store.label_parameter_version(Name="/Standard/a", Labels=["x"])
    assert store.get_parameter(Name="/Standard/a:x", WithDecryption=True)["Parameter"]["Value"] in hidden.given
    for answer in (
        store.get_parameters(Names=["/Standard/a", "/Advanced/b"], WithDecryption=True),
        store.get_parameters_by_path(Path="/", Recursive=True, WithDecryption=True),
        store.get_parameter_history(Name="/Advanced/a", WithDecryption=True),
    ):
        assert {p["Value"] for p in answer["Parameters"]} <= set(hidden.given)
    reference = store.get_parameter(Name="/aws/reference/secretsmanager/rotated", WithDecryption=True)
    assert reference["Parameter"]["Value"] in hidden.given


def test_no_file_has_a_secret(jar: TestJar) -> None:
    hidden = Hidden()
    use_secrets(jar, hidden)
    use_rotation(jar, hidden)
    use_parameters(jar, hidden)
    assert len(hidden.given) > 20
    assert leaks(jar.home, hidden) == []
    jar.jar.audit.ingest()
    jar.crash()
    assert leaks(jar.home, hidden) == []
    trail = everything(jar)
    assert len(trail) > 60
    assert [value for value in hidden.given if value in json.dumps(trail, default=str)] == []


def test_the_test_would_notice(steady_jar: TestJar) -> None:
    """What is no secret is found, in the database or its log: so a secret would be."""
    hidden = Hidden()
    steady_jar.client("ssm").put_parameter(Name="/open", Value=hidden.new(), Type="String")
    steady_jar.client("secretsmanager").create_secret(Name="s", Description=hidden.new())
    assert {value for _, value in leaks(steady_jar.home, hidden)} == set(hidden.given)


def everything(jar: TestJar) -> list[dict[str, Any]]:
    """The whole trail, of both regions."""
    found: list[dict[str, Any]] = []
    for region in ("eu-west-3", "us-east-1"):
        pages = jar.client("cloudtrail", region=region).get_paginator("lookup_events").paginate()
        found += [event for page in pages for event in page["Events"]]
    return found


def test_the_trail_masks_values(jar: TestJar) -> None:
    jar.client("secretsmanager").create_secret(Name="s", SecretString="hush")
    jar.client("ssm").put_parameter(Name="/p", Value="hush", Type="String")
    asked = {
        event["EventName"]: json.loads(event["CloudTrailEvent"])["requestParameters"]
        for event in everything(jar)
        if event["EventName"] in ("CreateSecret", "PutParameter")
    }
    assert asked["PutParameter"]["value"] == "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert asked["PutParameter"]["name"] == "/p"
    assert asked["CreateSecret"].get("secretString", "HIDDEN_DUE_TO_SECURITY_REASONS").startswith("HIDDEN")
