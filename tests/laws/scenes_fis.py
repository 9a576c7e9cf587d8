"""AWS FIS for the access law: what each operation is asked about."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.jar import ACCOUNT, TestJar

_TRUST = {"Effect": "Allow", "Principal": {"Service": "fis.amazonaws.com"}, "Action": "sts:AssumeRole"}
Scene = Callable[[Any], dict[str, Any]]
_TEMPLATE = f"arn:aws:fis:eu-west-3:{ACCOUNT}:experiment-template/EXT0000000000000"


def _wait(_: Any) -> dict[str, Any]:
    wait = {"actionId": "aws:fis:wait", "parameters": {"duration": "PT5M"}}
    role = f"arn:aws:iam::{ACCOUNT}:role/nobody"
    return {"roleArn": role, "actions": {"wait": wait}, "stopConditions": [{"source": "none"}]}


def _tagged(_: Any) -> dict[str, Any]:
    return {"resourceArn": _TEMPLATE}


SCENES: dict[str, Scene] = {
    **dict.fromkeys(("fis:ListTagsForResource", "fis:TagResource", "fis:UntagResource"), _tagged),
    "fis:CreateExperimentTemplate": _wait,
}


def many(jar: TestJar) -> dict[str, Any]:
    """Several templates, and an experiment on several roles."""
    fis, iam = jar.client("fis"), jar.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [_TRUST]})
    role = iam.create_role(RoleName="chaos", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}
    iam.put_role_policy(
        RoleName="chaos", PolicyName="all", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    )
    arns = [iam.create_role(RoleName=f"app{n}", AssumeRolePolicyDocument=trust)["Role"]["Arn"] for n in range(5)]
    failing = {"duration": "PT5M", "service": "ec2", "percentage": "1", "operations": "StopHosts"}
    action = {"actionId": "aws:fis:inject-api-internal-error", "targets": {"Roles": "r"}, "parameters": failing}
    targets = {"r": {"resourceType": "aws:iam:role", "resourceArns": arns, "selectionMode": "ALL"}}
    template = ""
    for n in range(6):
        template = fis.create_experiment_template(
            clientToken=f"t{n}", description="d", roleArn=role, actions={"a": action}, targets=targets,
            stopConditions=[{"source": "none"}],
        )["experimentTemplate"]["id"]  # fmt: skip
    started = [fis.start_experiment(clientToken=f"s{n}", experimentTemplateId=template) for n in range(4)]
    jar.settle()
    return {"ListExperimentResolvedTargets": {"experimentId": started[0]["experiment"]["id"]}}
