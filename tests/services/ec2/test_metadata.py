"""What a machine is told about itself, and what it can prove of it to others."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates

from cloudjar.wire.message import Request, Response
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import launch

TTL = {"x-aws-ec2-metadata-token-ttl-seconds": "60"}
IDENTITY = "/latest/dynamic/instance-identity/"


class Guest:
    """A machine that asks."""

    def __init__(self, jar: TestJar, ec2: Any, **more: Any) -> None:
        self.jar, self.ec2, self.id = jar, ec2, launch(ec2, **more)
        jar.settle()
        self.view = self.shown()

    def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ec2.describe_instances(InstanceIds=[self.id])["Reservations"][0]["Instances"][0]
        return found

    def send(self, method: str, path: str, headers: dict[str, str] | None = None) -> Response:
        """The answer of the metadata service."""
        where = {"peer": self.view["PrivateIpAddress"], "vpc": self.view["VpcId"]}
        request = Request(method, path, headers=headers or {}, **where)

        async def answered() -> Response:
            return self.jar.jar.metadata.answer(request)

        found = self.jar.on_loop(answered())
        assert isinstance(found, Response)
        return found

    def token(self) -> Response:
        return self.send("PUT", "/latest/api/token", TTL)

    def ask(self, path: str) -> tuple[int, str]:
        """Status and text of a question with a token."""
        token = self.token()
        assert isinstance(token.body, bytes)
        answer = self.send("GET", path, {"x-aws-ec2-metadata-token": token.body.decode()})
        assert isinstance(answer.body, bytes)
        return answer.status, answer.body.decode()

    def told(self, path: str) -> str:
        status, text = self.ask(path)
        assert status == 200, (path, text)
        return text


def test_the_document_says_what_the_instance_is(jar: TestJar, ec2: Any) -> None:
    guest = Guest(jar, ec2)
    said = json.loads(guest.told(IDENTITY + "document"))
    assert (said["instanceId"], said["accountId"], said["region"]) == (guest.id, ACCOUNT, "eu-west-3")
    assert (said["privateIp"], said["imageId"]) == (guest.view["PrivateIpAddress"], guest.view["ImageId"])
    assert said["version"] == "2017-09-30"


def test_the_document_is_signed_by_the_jars_own_certificate(jar: TestJar, ec2: Any) -> None:
    guest = Guest(jar, ec2)
    said = guest.told(IDENTITY + "document").encode()
    envelope = base64.b64decode(guest.told(IDENTITY + "rsa2048"))
    assert said in envelope
    (certificate,) = load_der_pkcs7_certificates(envelope)
    key = certificate.public_key()
    assert isinstance(key, RSAPublicKey)
    signature = base64.b64decode(guest.told(IDENTITY + "signature"))
    key.verify(signature, said, PKCS1v15(), SHA256())
    with pytest.raises(InvalidSignature):
        key.verify(signature, said.replace(guest.id.encode(), b"i-0123456789abcdef0"), PKCS1v15(), SHA256())
    other = Guest(jar, ec2)
    (same,) = load_der_pkcs7_certificates(base64.b64decode(other.told(IDENTITY + "pkcs7")))
    assert same == certificate


def test_version_one_is_refused_where_tokens_are_required(jar: TestJar, ec2: Any) -> None:
    guest = Guest(jar, ec2)
    assert guest.send("GET", "/latest/meta-data/instance-id").status == 401
    ec2.modify_instance_metadata_options(InstanceId=guest.id, HttpTokens="optional", HttpPutResponseHopLimit=7)
    assert guest.send("GET", "/latest/meta-data/instance-id").body == guest.id.encode()
    assert guest.token().hop_limit == 7
    ec2.modify_instance_metadata_options(InstanceId=guest.id, HttpEndpoint="disabled")
    assert guest.token().status == 403


def test_tags_are_told_when_the_instance_may_have_them(jar: TestJar, ec2: Any) -> None:
    tagged = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}]
    guest = Guest(jar, ec2, TagSpecifications=tagged)
    assert guest.ask("/latest/meta-data/tags/instance")[0] == 404
    ec2.modify_instance_metadata_options(InstanceId=guest.id, InstanceMetadataTags="enabled")
    assert guest.told("/latest/meta-data/tags/instance/Name") == "web"


def test_where_it_is_and_what_it_runs_on(jar: TestJar, ec2: Any) -> None:
    ec2.create_placement_group(GroupName="parts", Strategy="partition")
    guest = Guest(jar, ec2, Placement={"GroupName": "parts"}, Monitoring={"Enabled": True})
    listed = guest.told("/latest/meta-data/placement").split("\n")
    assert listed == ["availability-zone", "availability-zone-id", "group-name", "partition-number", "region"]
    assert guest.told("/latest/meta-data/placement/group-name") == "parts"
    assert guest.told("/latest/meta-data/placement/partition-number") == "1"
    assert guest.told("/latest/meta-data/system") == "nitro"
    assert guest.told("/latest/meta-data/events/maintenance/scheduled") == "[]"
    assert guest.told("/latest/dynamic/fws/instance-monitoring") == "enabled"
    assert guest.ask("/latest/meta-data/spot/instance-action")[0] == 404


def test_further_volumes_are_among_the_devices(jar: TestJar, ec2: Any) -> None:
    guest = Guest(jar, ec2, BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 1}}])
    listed = guest.told("/latest/meta-data/block-device-mapping").split("\n")
    assert listed == ["ami", "ebs1", "root"]
    assert guest.told("/latest/meta-data/block-device-mapping/ebs1") == "sdf"
    assert guest.told("/latest/meta-data/block-device-mapping/root") == guest.view["RootDeviceName"]
