"""Actions of budgets: what they do under their role, by themselves or approved, and how it is undone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar
from tests.services.budgets.asking import budget, create
from tests.services.budgets.test_alerts import letters, machine, start_of_month
from tests.services.rds.site import Site

ME = [{"SubscriptionType": "EMAIL", "Address": "me@example.com"}]
NAMED = {"AccountId": ACCOUNT, "BudgetName": "b"}


def role(jar: TestJar, *actions: str, trusted: str = "budgets.amazonaws.com", name: str = "acting") -> str:
    """A role that may do these things."""
    iam = jar.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": trusted}, "Action": "sts:AssumeRole"}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))["Role"]["Arn"]
    may = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=_document(may))
    return str(made)


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def asked(arn: str, kind: str, definition: dict[str, Any], approval: str = "AUTOMATIC") -> dict[str, Any]:
    """An action at 100 % of what was really spent."""
    return {
        **NAMED,
        "NotificationType": "ACTUAL",
        "ActionType": kind,
        "ActionThreshold": {"ActionThresholdValue": 100.0, "ActionThresholdType": "PERCENTAGE"},
        "Definition": definition,
        "ExecutionRoleArn": arn,
        "ApprovalModel": approval,
        "Subscribers": ME,
    }


def stopping(vm: str) -> dict[str, Any]:
    """Stop an instance in Paris."""
    said = {"ActionSubType": "STOP_EC2_INSTANCES", "Region": "eu-west-3", "InstanceIds": [vm]}
    return {"SsmActionDefinition": said}


def state(jar: TestJar, vm: str) -> str:
    """The state of an instance."""
    found = jar.client("ec2").describe_instances(InstanceIds=[vm])["Reservations"][0]["Instances"][0]
    return str(found["State"]["Name"])


def status(budgets: Any, action: str) -> str:
    """The status of an action."""
    return str(budgets.describe_budget_action(**NAMED, ActionId=action)["Action"]["Status"])


def test_a_running_instance_is_stopped_when_the_budget_is_spent(jar: TestJar) -> None:
    start_of_month(jar)
    vm, budgets = machine(jar), jar.client("budgets")
    arn = role(jar, "ec2:StopInstances", "ec2:StartInstances")
    create(budgets, budget("b", "0.5"))
    made = budgets.create_budget_action(**asked(arn, "RUN_SSM_DOCUMENTS", stopping(vm)))["ActionId"]
    jar.advance(days=1)
    assert (state(jar, vm), status(budgets, made)) == ("running", "STANDBY")
    jar.advance(days=3)
    assert (state(jar, vm), status(budgets, made)) == ("stopped", "EXECUTION_SUCCESS")
    assert jar.host.look(vm) != "up"
    lines = budgets.describe_budget_action_histories(**NAMED, ActionId=made)["ActionHistories"]
    assert [one["Status"] for one in lines] == ["EXECUTION_SUCCESS", "EXECUTION_IN_PROGRESS", "STANDBY"]
    assert "action of b: EXECUTION_SUCCESS" in letters(jar)[-1][1]
    budgets.execute_budget_action(**NAMED, ActionId=made, ExecutionType="REVERSE_BUDGET_ACTION")
    jar.settle()
    jar.advance(minutes=5)
    assert (state(jar, vm), status(budgets, made)) == ("running", "REVERSE_SUCCESS")
    budgets.execute_budget_action(**NAMED, ActionId=made, ExecutionType="RESET_BUDGET_ACTION")
    jar.settle()
    assert status(budgets, made) == "STANDBY"
    jar.advance(hours=9)
    assert (state(jar, vm), status(budgets, made)) == ("stopped", "EXECUTION_SUCCESS"), "it is over budget still"
    jar.advance(days=31)
    assert status(budgets, made) == "STANDBY", "another month"


def test_an_action_waits_for_approval_and_attaches_a_policy(jar: TestJar) -> None:
    start_of_month(jar)
    machine(jar)
    budgets, iam = jar.client("budgets"), jar.client("iam")
    iam.create_user(UserName="spender")
    arn = role(jar, "iam:AttachUserPolicy", "iam:DetachUserPolicy")
    deny = "arn:aws:iam::aws:policy/AWSDenyAll"
    create(budgets, budget("b", "0.1"))
    definition = {"IamActionDefinition": {"PolicyArn": deny, "Users": ["spender"]}}
    made = budgets.create_budget_action(**asked(arn, "APPLY_IAM_POLICY", definition, "MANUAL"))["ActionId"]
    jar.advance(days=2)
    assert status(budgets, made) == "PENDING"
    assert "action of b: PENDING" in letters(jar)[-1][1]
    held = {"UserName": "spender"}
    assert iam.list_attached_user_policies(**held)["AttachedPolicies"] == []
    budgets.execute_budget_action(**NAMED, ActionId=made, ExecutionType="APPROVE_BUDGET_ACTION")
    jar.settle()
    assert status(budgets, made) == "EXECUTION_SUCCESS"
    assert [one["PolicyArn"] for one in iam.list_attached_user_policies(**held)["AttachedPolicies"]] == [deny]
    budgets.execute_budget_action(**NAMED, ActionId=made, ExecutionType="REVERSE_BUDGET_ACTION")
    jar.settle()
    assert iam.list_attached_user_policies(**held)["AttachedPolicies"] == []
    with pytest.raises(budgets.exceptions.InvalidParameterException):
        budgets.execute_budget_action(**NAMED, ActionId=made, ExecutionType="APPROVE_BUDGET_ACTION")


def test_a_service_control_policy_is_attached_to_a_member(steady_jar: TestJar) -> None:
    jar = steady_jar
    start_of_month(jar)
    machine(jar)
    budgets, organizations = jar.client("budgets"), jar.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    top = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=top, PolicyType="SERVICE_CONTROL_POLICY")
    member = organizations.create_account(Email="m@example.com", AccountName="m")["CreateAccountStatus"]["Id"]
    jar.settle()
    made = organizations.describe_create_account_status(CreateAccountRequestId=member)["CreateAccountStatus"]
    member = made["AccountId"]
    policy = organizations.create_policy(
        Name="no", Description="", Type="SERVICE_CONTROL_POLICY",
        Content=_document({"Effect": "Deny", "Action": "*", "Resource": "*"}),
    )["Policy"]["PolicySummary"]["Id"]  # fmt: skip
    create(budgets, budget("b", "0.1"))
    definition = {"ScpActionDefinition": {"PolicyId": policy, "TargetIds": [member]}}
    arn = role(jar, "organizations:AttachPolicy", "organizations:DetachPolicy")
    made = budgets.create_budget_action(**asked(arn, "APPLY_SCP_POLICY", definition))["ActionId"]
    jar.advance(days=1)
    assert status(budgets, made) == "EXECUTION_SUCCESS"
    targets = organizations.list_targets_for_policy(PolicyId=policy)["Targets"]
    assert [one["TargetId"] for one in targets] == [member]


def test_a_role_that_may_not_fails_and_is_tried_again(steady_jar: TestJar) -> None:
    jar = steady_jar
    start_of_month(jar)
    vm, budgets = machine(jar), jar.client("budgets")
    create(budgets, budget("b", "0.1"))
    arn = role(jar, "ec2:DescribeInstances")
    made = budgets.create_budget_action(**asked(arn, "RUN_SSM_DOCUMENTS", stopping(vm)))["ActionId"]
    jar.advance(days=1)
    assert (state(jar, vm), status(budgets, made)) == ("running", "EXECUTION_FAILURE")
    newest = budgets.describe_budget_action_histories(**NAMED, ActionId=made)["ActionHistories"][0]
    assert "UnauthorizedOperation" in newest["ActionHistoryDetails"]["Message"]
    may = _document({"Effect": "Allow", "Action": "ec2:StopInstances", "Resource": "*"})
    jar.client("iam").put_role_policy(RoleName="acting", PolicyName="p", PolicyDocument=may)
    budgets.execute_budget_action(**NAMED, ActionId=made, ExecutionType="RETRY_BUDGET_ACTION")
    jar.settle()
    jar.advance(minutes=5)
    assert (state(jar, vm), status(budgets, made)) == ("stopped", "EXECUTION_SUCCESS")


def test_actions_are_changed_and_deleted_and_cost(steady_jar: TestJar) -> None:
    jar = steady_jar
    budgets = jar.client("budgets")
    create(budgets, budget("b", "100"))
    arn = role(jar, "ec2:StopInstances")
    first = asked(arn, "RUN_SSM_DOCUMENTS", stopping("i-0123456789abcdef0"))
    made = budgets.create_budget_action(**first)["ActionId"]
    with pytest.raises(budgets.exceptions.DuplicateRecordException):
        budgets.create_budget_action(**first)
    changed = budgets.update_budget_action(**NAMED, ActionId=made, ApprovalModel="MANUAL")
    assert (changed["OldAction"]["ApprovalModel"], changed["NewAction"]["ApprovalModel"]) == ("AUTOMATIC", "MANUAL")
    listed = budgets.describe_budget_actions_for_account(AccountId=ACCOUNT)["Actions"]
    assert listed == budgets.describe_budget_actions_for_budget(**NAMED)["Actions"] == [changed["NewAction"]]
    jar.advance(hours=36)
    budgets.delete_budget_action(**NAMED, ActionId=made)
    assert budgets.describe_budget_actions_for_budget(**NAMED)["Actions"] == []
    assert jar.usage("ActionEnabledBudgetsUsage").total_seconds() == 36 * 3600


def test_a_role_must_trust_budgets_and_be_passed(steady_jar: TestJar) -> None:
    jar = steady_jar
    budgets = jar.client("budgets")
    create(budgets, budget("b", "100"))
    other = role(jar, "ec2:StopInstances", trusted="ec2.amazonaws.com", name="other")
    with pytest.raises(budgets.exceptions.AccessDeniedException, match="cannot assume the role"):
        budgets.create_budget_action(**asked(other, "RUN_SSM_DOCUMENTS", stopping("i-0123456789abcdef0")))
    good = role(jar, "ec2:StopInstances", name="good")
    iam = jar.client("iam")
    iam.create_user(UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    passing: dict[str, Any] = {"Effect": "Allow", "Action": ["budgets:*"], "Resource": "*"}
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=_document(passing))
    mine = jar.client("budgets", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    request = asked(good, "RUN_SSM_DOCUMENTS", stopping("i-0123456789abcdef0"))
    with pytest.raises(ClientError, match="iam:PassRole"):
        mine.create_budget_action(**request)
    passing["Action"] = ["budgets:*", "iam:PassRole"]
    passing["Condition"] = {"StringEquals": {"iam:PassedToService": "budgets.amazonaws.com"}}
    pass_only = {"Effect": "Allow", "Action": "budgets:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [passing, pass_only]})
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=document)
    assert mine.create_budget_action(**request)["ActionId"]


def test_a_database_is_stopped_when_the_budget_is_spent(jar: TestJar) -> None:
    start_of_month(jar)
    site, budgets = Site(jar), jar.client("budgets")
    site.available(BackupRetentionPeriod=0)
    arn = role(jar, "rds:StopDBInstance", "rds:StartDBInstance")
    create(budgets, budget("b", "1"))
    said = {"ActionSubType": "STOP_RDS_INSTANCES", "Region": "eu-west-3", "InstanceIds": ["shop"]}
    wanted = asked(arn, "RUN_SSM_DOCUMENTS", {"SsmActionDefinition": said})
    made = budgets.create_budget_action(**wanted)["ActionId"]
    jar.advance(days=1)
    assert (site.show()["DBInstanceStatus"], status(budgets, made)) == ("available", "STANDBY")
    jar.advance(days=3)
    assert (site.show()["DBInstanceStatus"], status(budgets, made)) == ("stopped", "EXECUTION_SUCCESS")
    budgets.execute_budget_action(**NAMED, ActionId=made, ExecutionType="REVERSE_BUDGET_ACTION")
    jar.settle()
    jar.advance(minutes=10)
    assert (site.show()["DBInstanceStatus"], status(budgets, made)) == ("available", "REVERSE_SUCCESS")
