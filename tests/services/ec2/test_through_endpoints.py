"""Calls that come by a VPC endpoint: its policy decides too, and so may anybody's who asks by which one they came."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.config import Config

from tests.jar import TestJar
from tests.services.ec2.asking import code, make_subnet, make_vpc, refused

KMS = "com.amazonaws.eu-west-3.kms"
REGION = "eu-west-3"


def door(jar: TestJar, vpc: str, endpoint: str) -> str:
    """Where the simulated host serves an endpoint: what a guest of the VPC would connect to."""

    async def listen() -> int:
        assert jar._server is not None
        return (await jar._server.listen("127.0.0.1", 0, trusted=False, vpc=vpc, vpce=endpoint)).port

    return f"http://127.0.0.1:{jar.on_loop(listen())}"


def user(jar: TestJar, policy: dict[str, Any]) -> dict[str, str]:
    """Credentials of a user with one policy, as a client takes them."""
    iam = jar.client("iam")
    iam.create_user(UserName="guest")
    iam.put_user_policy(UserName="guest", PolicyName="own", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="guest")["AccessKey"]
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


def statement(action: str, **more: Any) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*", **more}],
    }


def client(service: str, where: str, who: dict[str, str]) -> Any:
    return boto3.client(
        service, region_name=REGION, endpoint_url=where, config=Config(retries={"total_max_attempts": 1}), **who
    )


def endpoint(jar: TestJar, ec2: Any, **more: Any) -> tuple[str, str]:
    """A VPC and its endpoint to KMS."""
    vpc = make_vpc(ec2)
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    asked = {"VpcId": vpc, "ServiceName": KMS, "VpcEndpointType": "Interface", "SubnetIds": [make_subnet(ec2, vpc)]}
    made = ec2.create_vpc_endpoint(**asked, **more)["VpcEndpoint"]["VpcEndpointId"]
    jar.settle()
    return vpc, made


def test_an_endpoint_policy_decides_beside_the_callers_own(jar: TestJar, ec2: Any) -> None:
    narrow = statement("kms:ListKeys", Principal="*")
    vpc, key = endpoint(jar, ec2, PolicyDocument=json.dumps(narrow))
    who = user(jar, statement("kms:*"))
    kms = client("kms", door(jar, vpc, key), who)
    assert kms.list_keys()["Keys"] == []
    code_, message = refused(kms.list_aliases)
    assert code_ == "AccessDeniedException"
    assert message.endswith("because no VPC endpoint policy allows the kms:ListAliases action")
    deny = {**narrow, "Statement": [*narrow["Statement"], {
        "Effect": "Deny", "Principal": "*", "Action": "kms:ListKeys", "Resource": "*"}]}  # fmt: skip
    ec2.modify_vpc_endpoint(VpcEndpointId=key, PolicyDocument=json.dumps(deny))
    assert refused(kms.list_keys)[1].endswith("with an explicit deny in a VPC endpoint policy")
    assert client("kms", jar.endpoint, who).list_keys()["Keys"] == []  # by no endpoint, no endpoint's policy
    ec2.modify_vpc_endpoint(VpcEndpointId=key, ResetPolicy=True)
    assert kms.list_aliases()["Aliases"] == []


def test_an_endpoint_leads_to_its_own_service_and_nowhere_once_it_is_gone(jar: TestJar, ec2: Any) -> None:
    vpc, key = endpoint(jar, ec2)
    who = user(jar, statement("*"))
    where = door(jar, vpc, key)
    code_, message = refused(client("sts", where, who).get_caller_identity)
    assert (code_, "'kms'" in message) == ("SignatureDoesNotMatch", True)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[key])
    assert code(client("kms", where, who).list_keys) == "AccessDenied"


def test_policies_may_ask_for_the_endpoint_and_the_vpc(jar: TestJar, ec2: Any) -> None:
    vpc, key = endpoint(jar, ec2)
    other = make_vpc(ec2)
    who = user(jar, statement("kms:ListKeys", Condition={"StringEquals": {"aws:SourceVpce": key}}))
    assert client("kms", door(jar, vpc, key), who).list_keys()["Keys"] == []
    assert code(client("kms", jar.endpoint, who).list_keys) == "AccessDeniedException"
    by_vpc = statement("kms:ListKeys", Condition={"StringEquals": {"aws:SourceVpc": other}})
    iam = jar.client("iam")
    iam.put_user_policy(UserName="guest", PolicyName="own", PolicyDocument=json.dumps(by_vpc))
    assert code(client("kms", door(jar, vpc, key), who).list_keys) == "AccessDeniedException"


def test_the_trail_tells_the_endpoint(jar: TestJar, ec2: Any) -> None:
    vpc, key = endpoint(jar, ec2)
    client("kms", door(jar, vpc, key), user(jar, statement("kms:*"))).list_keys()
    found = jar.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "ListKeys"}]
    )
    told = json.loads(found["Events"][0]["CloudTrailEvent"])
    assert told["vpcEndpointId"] == key
