"""`cloudjar advisor`: findings with evidence and cost, and the command that mends them."""

from __future__ import annotations

from typing import Any

from cloudjar.cli.advisor import command, commands
from tests.cli.terminal import Terminal


def call(service: str, operation: str, **params: Any) -> dict[str, Any]:
    return {"service": service, "operation": operation, "params": params, "region": "eu-west-3"}


def test_calls_are_commands_of_the_aws_cli() -> None:
    release = call("ec2", "ReleaseAddress", AllocationId="eipalloc-1")
    assert command(release) == "aws ec2 release-address --region eu-west-3 --allocation-id eipalloc-1"
    stop = call("ec2", "StopInstances", InstanceIds=["i-1", "i-2"])
    assert command(stop) == "aws ec2 stop-instances --region eu-west-3 --instance-ids i-1 i-2"
    shut = call("rds", "ModifyDBInstance", DBInstanceIdentifier="db", PubliclyAccessible=False)
    assert command(shut).endswith("modify-db-instance --region eu-west-3 --db-instance-identifier db "
                                  "--no-publicly-accessible")  # fmt: skip
    block = call("s3", "PutPublicAccessBlock", Bucket="b", PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    assert command(block).startswith("aws s3api put-public-access-block --region eu-west-3 --bucket b ")
    assert command(block).endswith("""--public-access-block-configuration '{"BlockPublicAcls":true}'""")


def test_what_one_call_answers_the_next_takes() -> None:
    fix = [call("ec2", "AllocateAddress", Domain="vpc"), call("ec2", "AssociateAddress", AllocationId="$AllocationId")]
    assert commands({"fix": fix, "hint": ""}) == [
        "AllocationId=$(aws ec2 allocate-address --region eu-west-3 --domain vpc --query AllocationId --output text)",
        'aws ec2 associate-address --region eu-west-3 --allocation-id "$AllocationId"',
    ]


def test_a_finding_is_told_and_mended(up: Terminal) -> None:
    ec2 = up.client("ec2")
    made = ec2.allocate_address()
    found = {one["check"]: one for one in up.json("advisor")["checks"]}["Z4AUBRNSmz"]["findings"]
    (finding,) = [one for one in found if one["resource"] == made["PublicIp"]]
    assert finding["monthly"] > 3
    told = up.good("advisor")
    wanted = f"aws ec2 release-address --region eu-west-3 --allocation-id {made['AllocationId']}"
    assert finding["id"] in told
    assert wanted in told
    assert "Root User in Daily Use" in told
    assert up.run("advisor", "--fix", "ffffffff", "--yes").code == 1
    assert f"{finding['id']} is mended" in up.good("advisor", "--fix", finding["id"], "--yes")
    assert ec2.describe_addresses()["Addresses"] == []
    assert "there is no finding" in up.run("advisor", "--fix", finding["id"], "--yes").err


def test_what_only_a_person_can_decide_is_said(up: Terminal) -> None:
    (finding,) = {one["check"]: one for one in up.json("advisor")["checks"]}["7DAFEmoDos"]["findings"]
    said = up.run("advisor", "--fix", finding["id"], "--yes")
    assert said.code == 1
    assert "create-virtual-mfa-device" in said.err


def test_a_fix_is_done_with_the_rights_of_who_asks(up: Terminal) -> None:
    iam, ec2 = up.client("iam"), up.client("ec2")
    address = ec2.allocate_address()["PublicIp"]
    iam.create_user(UserName="reader")
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    found = {one["check"]: one for one in up.json("advisor")["checks"]}["Z4AUBRNSmz"]["findings"]
    (finding,) = [one for one in found if one["resource"] == address]
    before = dict(up.environ)
    up.environ |= {
        "AWS_ENDPOINT_URL": up.json("env")["AWS_ENDPOINT_URL"],
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    try:
        said = up.run("advisor", "--fix", finding["id"], "--yes")
    finally:
        up.environ = before
    assert said.code == 1
    assert "UnauthorizedOperation" in said.err
    assert [one["PublicIp"] for one in ec2.describe_addresses()["Addresses"]] == [address]
