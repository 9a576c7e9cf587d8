"""Pushed keys: who may push, which keys, and how long the guest is told of them."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.jar import TestJar
from tests.services.answers import document, refused, statement
from tests.services.ec2.test_metadata import Guest

ACTIVE = "/latest/meta-data/managed-ssh-keys/active-keys"


def line(key: Any) -> str:
    made: bytes = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return made.decode()


KEY = line(ed25519.Ed25519PrivateKey.generate())


@pytest.fixture
def push(jar: TestJar) -> Any:
    return jar.client("ec2-instance-connect")


def test_a_key_is_valid_for_a_minute(jar: TestJar, ec2: Any, push: Any) -> None:
    guest = Guest(jar, ec2)
    assert guest.ask(ACTIVE)[0] == 404
    answer = push.send_ssh_public_key(InstanceId=guest.id, InstanceOSUser="admin", SSHPublicKey=f"{KEY} me@here\n")
    assert answer["Success"] is True
    assert answer["RequestId"]
    assert guest.told(ACTIVE) == "admin"
    assert guest.told(f"{ACTIVE}/admin") == f"{KEY}\n"
    assert guest.ask(f"{ACTIVE}/root")[0] == 404
    jar.advance(seconds=30)
    other = line(rsa.generate_private_key(65537, 2048))
    push.send_ssh_public_key(InstanceId=guest.id, InstanceOSUser="admin", SSHPublicKey=other)
    assert guest.told(f"{ACTIVE}/admin") == f"{KEY}\n{other}\n"
    jar.advance(seconds=31)
    assert guest.told(f"{ACTIVE}/admin") == f"{other}\n"
    jar.advance(seconds=30)
    assert guest.ask(ACTIVE)[0] == 404


def test_keys_that_are_none(jar: TestJar, ec2: Any, push: Any) -> None:
    guest = Guest(jar, ec2)
    curve = line(ec.generate_private_key(ec.SECP256R1()))
    small = line(rsa.generate_private_key(65537, 1024))
    for wrong in ("x" * 100, curve, small, f"ssh-ed25519 {'A' * 80}"):
        with refused("InvalidArgsException"):
            push.send_ssh_public_key(InstanceId=guest.id, InstanceOSUser="admin", SSHPublicKey=wrong)


def test_the_instance_must_run(jar: TestJar, ec2: Any, push: Any) -> None:
    guest = Guest(jar, ec2)
    given = {"InstanceOSUser": "admin", "SSHPublicKey": KEY}
    zone = guest.view["Placement"]["AvailabilityZone"]
    assert push.send_ssh_public_key(InstanceId=guest.id, AvailabilityZone=zone, **given)["Success"]
    with refused("EC2InstanceNotFoundException", status=404):
        push.send_ssh_public_key(InstanceId=guest.id, AvailabilityZone="eu-west-3z", **given)
    with refused("EC2InstanceNotFoundException", status=404):
        push.send_ssh_public_key(InstanceId="i-0123456789abcdef0", **given)
    ec2.stop_instances(InstanceIds=[guest.id])
    jar.settle()
    with refused("EC2InstanceStateInvalidException"):
        push.send_ssh_public_key(InstanceId=guest.id, **given)


def test_permission_is_for_a_user_of_an_instance(jar: TestJar, ec2: Any) -> None:
    guest = Guest(jar, ec2)
    iam = jar.client("iam")
    iam.create_user(UserName="ops")
    allowed = statement(
        "ec2-instance-connect:SendSSHPublicKey",
        f"arn:aws:ec2:eu-west-3:000000000000:instance/{guest.id}",
        Condition={"StringEquals": {"ec2:osuser": "admin"}},
    )
    iam.put_user_policy(UserName="ops", PolicyName="may", PolicyDocument=document(allowed))
    key = iam.create_access_key(UserName="ops")["AccessKey"]
    mine = jar.client("ec2-instance-connect", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert mine.send_ssh_public_key(InstanceId=guest.id, InstanceOSUser="admin", SSHPublicKey=KEY)["Success"]
    with refused("AccessDeniedException", guest.id):
        mine.send_ssh_public_key(InstanceId=guest.id, InstanceOSUser="root", SSHPublicKey=KEY)
