"""`cloudjar why`, as somebody reads it who was refused; and EC2's encoded message, which says the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.cli.terminal import Terminal

DEV = {"StringEquals": {"aws:ResourceTag/env": ["dev", "test"]}}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(scope="module")
def machine(up: Terminal) -> str:
    """A machine of production."""
    return up.launch(TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "env", "Value": "prod"}]}])


def user(up: Terminal, name: str, **policies: str) -> Any:
    """A new user's EC2 client."""
    iam = up.client("iam")
    iam.create_user(UserName=name)
    for policy, text in policies.items():
        iam.put_user_policy(UserName=name, PolicyName=policy, PolicyDocument=text)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return up.client("ec2", key["AccessKeyId"], key["SecretAccessKey"])


def refused(call: Any, **params: Any) -> tuple[str, str]:
    """(request id, message) of a refusal."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    answer = caught.value.response
    return answer["ResponseMetadata"]["RequestId"], answer["Error"]["Message"]


def decoded(up: Terminal, message: str) -> Any:
    """The facts behind EC2's encoded message."""
    text = message.partition("Encoded authorization failure message: ")[2]
    return json.loads(up.client("sts").decode_authorization_message(EncodedMessage=text)["DecodedMessage"])


def test_a_condition_that_did_not_hold_is_shown_with_its_value(up: Terminal, machine: str) -> None:
    look = {"Sid": "Look", "Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}
    dev = {"Sid": "Dev", "Effect": "Allow", "Action": "ec2:Stop*", "Resource": "*", "Condition": DEV}
    ec2 = user(up, "ann", team=document(look, dev))
    request, message = refused(ec2.stop_instances, InstanceIds=[machine])
    told = up.good("why", request)
    assert told == up.good("why", "--last") == up.good("why")
    arn = f"arn:aws:ec2:eu-west-3:000000000000:instance/{machine}"
    for line in (
        "Call     ec2:StopInstances",
        "Answer   UnauthorizedOperation",
        "DENIED  ec2:StopInstances",
        f"  on  {arn}",
        "  to  arn:aws:iam::000000000000:user/ann",
        "  because no identity-based policy allows the ec2:StopInstances action",
        "1. identity-based policy: no allow",
        "   team",
        "     statement 1 Look  Allow  does not match",
        "       fails  Action ec2:StopInstances is not like ec2:Describe*",
        "       fails  Condition StringEquals aws:resourcetag/env [dev, test]: the key is prod",
        "  aws:resourcetag/env  prod",
        "Statements that fail on one element only",
    ):
        assert line in told.splitlines(), (line, told)
    assert max(map(len, told.splitlines())) <= 100
    (account,) = up.json("why", request)["authorization"]["accounts"]
    (addition,) = account["remedy"]["additions"]
    assert addition["statement"] == {"Effect": "Allow", "Action": "ec2:StopInstances", "Resource": arn}
    up.client("iam").put_user_policy(UserName="ann", PolicyName="more", PolicyDocument=document(addition["statement"]))
    answer = ec2.stop_instances(InstanceIds=[machine])
    told = up.good("why", answer["ResponseMetadata"]["RequestId"])
    assert "ALLOWED  ec2:StopInstances" in told
    assert "  decided by identity-based policy more, statement 1" in told
    says_the_same(decoded(up, message), account)


def says_the_same(facts: dict[str, Any], account: dict[str, Any]) -> None:
    """EC2's message against `why`, in AWS's shape."""
    assert (facts["allowed"], facts["explicitDeny"]) == (False, account["verdict"] == "explicitDeny")
    assert set(facts) == {"allowed", "explicitDeny", "matchedStatements", "failures", "context"}
    context = facts["context"]
    assert (context["action"], context["resource"]) == (account["action"], account["resource"])
    assert context["principal"]["arn"] == "arn:aws:iam::000000000000:user/ann"
    assert context["principal"]["name"] == "ann"
    keys = {c["key"]: [v["value"] for v in c["values"]["items"]] for c in context["conditions"]["items"]}
    assert keys["aws:ResourceTag/env"] == ["prod"]
    assert keys["aws:RequestedRegion"] == ["eu-west-3"]
    assert set(account["keys"]) <= {key.lower() for key in keys}


def test_a_deny_is_named_and_no_allow_proposed(up: Terminal, machine: str) -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    frozen = {"Sid": "Frozen", "Effect": "Deny", "Action": ["ec2:Stop*", "ec2:Terminate*"], "Resource": "*",
              "Condition": {"StringEquals": {"ec2:ResourceTag/env": "prod"}}}  # fmt: skip
    ec2 = user(up, "bea", admin=document(everything), freeze=document(frozen))
    request, message = refused(ec2.terminate_instances, InstanceIds=[machine])
    told = up.good("why", request).splitlines()
    at = told.index("No allow helps: an explicit deny has the last word. In the way")
    assert told[at + 1 :] == ["  identity-based policy freeze, statement 1 Frozen"]
    assert "       holds  Condition StringEquals ec2:resourcetag/env [prod]: the key is prod" in told
    (statement,) = decoded(up, message)["matchedStatements"]["items"]
    assert (statement["statementId"], statement["effect"]) == ("Frozen", "DENY")
    assert statement["actions"] == {"items": [{"value": "ec2:Stop*"}, {"value": "ec2:Terminate*"}]}
    assert statement["conditions"]["items"] == [
        {"key": "ec2:ResourceTag/env", "values": {"items": [{"value": "prod"}]}}
    ]


def test_a_call_that_needs_nothing_and_one_that_came_not_so_far(up: Terminal) -> None:
    answer = up.client("sts").get_caller_identity()
    assert "This operation needs no permission." in up.good("why", answer["ResponseMetadata"]["RequestId"])
    request, _ = refused(up.client("ec2").describe_instances, InstanceIds=["i-0123456789abcdef0"])
    assert "ALLOWED  ec2:DescribeInstances" in up.good("why", request)  # allowed, and not found
    with pytest.raises(ClientError) as caught:
        up.client("iam").create_user(UserName="a*")
    told = up.good("why", caught.value.response["ResponseMetadata"]["RequestId"])
    assert "The call did not come as far as authorisation:" in told
