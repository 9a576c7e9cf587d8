"""The models as compiled, cached and typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloudjar.spec import compile as compiler
from cloudjar.spec import models
from cloudjar.spec.models import catalogue, service


def test_the_catalogue_knows_every_published_service() -> None:
    names = models.all_names()
    assert len(names) > 400
    assert {"ec2", "s3", "iam", "service-quotas", "cloudwatch"} <= set(names)
    entry = catalogue()["cloudwatch"]
    assert (entry.signing_name, entry.target_prefix) == ("monitoring", "GraniteServiceVersion20100801")
    assert entry.protocols == ("smithy-rpc-v2-cbor", "json", "query")
    assert all(e.protocols and e.signing_name and e.api_version for e in catalogue().values())


def test_an_operation() -> None:
    op = service("ec2").operations["DescribeInstances"]
    assert (op.method, op.uri, op.status) == ("POST", "/", 200)
    assert op.paginator is not None
    assert (op.paginator.input_token, op.paginator.limit_key) == (("NextToken",), "MaxResults")
    assert op.output is not None
    tags = op.output.members["Reservations"].member.members["Instances"].member.members["Tags"]
    assert (tags.type, tags.location_name, tags.member.location_name) == ("list", "tagSet", "item")
    assert "InstanceRunning" in models.waiters("ec2")
    assert service("ec2").operations["RunInstances"].idempotency_tokens == ("ClientToken",)


def test_a_reference_overlays_the_shape_it_points_to() -> None:
    made = service("s3").operations["PutObject"]
    assert made.input is not None
    assert made.streaming_input
    assert made.input.payload == "Body"
    assert made.input.members["Key"].location == "uri"
    assert service("s3").shape("ObjectKey").location == ""
    assert made.checksum["requestAlgorithmMember"] == "ChecksumAlgorithm"


def test_errors() -> None:
    codes = {e.code: e for e in service("iam").operations["CreateUser"].errors}
    assert codes["EntityAlreadyExists"].status == 409
    assert codes["EntityAlreadyExists"].shape == "EntityAlreadyExistsException"
    found = service("iam").error_shapes
    assert found["NoSuchEntity"] is found["NoSuchEntityException"]


@pytest.mark.parametrize(
    ("name", "op", "kind"),
    [
        ("sts", "GetCallerIdentity", "v4"),
        ("sts", "AssumeRoleWithWebIdentity", "none"),
        ("cognito-idp", "InitiateAuth", "none"),
        ("lambda", "Invoke", "v4"),
    ],
)
def test_who_must_sign(name: str, op: str, kind: str) -> None:
    assert service(name).operations[op].auth_type == kind


def test_documentation_is_left_behind_but_members_of_that_name_are_not() -> None:
    packed = compiler.load_service("apigateway")
    operations = [msgspec.msgpack.decode(raw) for raw in packed.operations.values()]
    assert not any("documentation" in op for op in operations)
    assert "documentationVersion" in service("apigateway").shape("Stage").members


def test_no_such_service() -> None:
    for name in ("nonsense", "", "../ec2", "EC2"):
        with pytest.raises(KeyError):
            service(name)


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLOUDJAR_SPEC_DIR", str(tmp_path / "spec"))
    return tmp_path / "spec"


def test_the_cache_fills_itself_and_mends_itself(empty_cache: Path) -> None:
    first = compiler.load_service("sts")
    file = empty_cache / "sts.bin"
    good = file.read_bytes()
    assert [p.name for p in empty_cache.iterdir()] == ["sts.bin"], "no other service, no draft left"
    for damaged in (b"", b"junk", good[:-1], good[:50] + b"\0" + good[51:], b"CJSPEC" + good[6:-9]):
        file.write_bytes(damaged)
        assert compiler.load_service("sts") == first
        assert file.read_bytes() == good


def test_a_cache_that_cannot_be_written_costs_time_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("CLOUDJAR_SPEC_DIR", str(blocked / "spec"))
    assert compiler.load_service("sts").entry.name == "sts"
    assert "cannot cache" in capsys.readouterr().err


def test_where_the_cache_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLOUDJAR_SPEC_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    expected = Path(f"/x/cloudjar/spec/{compiler.botocore_version()}-{compiler.FORMAT}")
    assert compiler.cache_dir() == expected


def test_the_command_refreshes_named_services(empty_cache: Path) -> None:
    assert compiler.refresh(["sts", "sqs"]) == 2
    assert {p.name for p in empty_cache.iterdir()} == {"sts.bin", "sqs.bin", "_catalogue.bin"}


def test_one_service_loads_without_botocore_or_any_other() -> None:
    code = (
        "import sys; from cloudjar.spec.models import service, catalogue;"
        "service('sts').operations['GetCallerIdentity'].output.members; catalogue();"
        "assert not [m for m in sys.modules if m.startswith('botocore')];"
        "assert service.cache_info().currsize == 1"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_sqs_keeps_the_query_protocol_that_its_model_lost() -> None:
    sqs = service("sqs")
    assert sqs.protocols == ("json", "query")
    assert sqs.shape("QueueDoesNotExist").error_code == "AWS.SimpleQueueService.NonExistentQueue"
    assert sqs.shape("MessageList").member.query_name == "Message"
    assert sqs.shape("MessageList").member.location_name == "", "JSON must not see it"


def test_a_model_of_ones_own() -> None:
    document: dict[str, Any] = {
        "metadata": {"protocol": "json", "endpointPrefix": "mine", "apiVersion": "1"},
        "operations": {"Do": {"name": "Do", "http": {}, "input": {"shape": "In"}, "documentation": "prose"}},
        "shapes": {"In": {"type": "structure", "members": {"documentation": {"shape": "S", "documentation": "p"}}},
                   "S": {"type": "string", "documentation": "prose"}},
    }  # fmt: skip
    made = models.from_description("mine", document).operations["Do"]
    assert made.input is not None
    assert made.input.members["documentation"].raw == {"type": "string"}
