"""Decisions that are kept are those of the jar as it is: who bounds an account later bounds what it did before."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.jar import TestJar
from tests.services.organizations.estate import RCP, Estate

MEMBER = "111122223333"


def test_an_account_that_joins_an_organization_is_bound_by_its_rcps(jar: TestJar) -> None:
    sqs = jar.client("sqs", key=MEMBER)
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    for _ in range(2):  # the second time it is known
        sqs.send_message(QueueUrl=url, MessageBody="before")
    estate = Estate(jar, management="999988887777")
    estate.org.enable_policy_type(RootId=estate.root, PolicyType=RCP)
    nobody = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    estate.policy("nobody", nobody, kind=RCP, on=estate.root)
    sqs.send_message(QueueUrl=url, MessageBody="not yet")
    estate.org.disable_policy_type(RootId=estate.root, PolicyType="SERVICE_CONTROL_POLICY")
    estate.invited(MEMBER)
    for _ in range(2):
        with pytest.raises(ClientError, match="explicit deny in a resource control policy"):
            sqs.send_message(QueueUrl=url, MessageBody="after")
