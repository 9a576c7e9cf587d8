"""What the laws ask the services about money: budgets with notifications and actions."""

from __future__ import annotations

import itertools
import json
from typing import Any, NamedTuple

from tests.jar import ACCOUNT, TestJar

_NUMBERS = itertools.count()
_TRUST = {"Effect": "Allow", "Principal": {"Service": "budgets.amazonaws.com"}, "Action": "sts:AssumeRole"}
_MAIL = {"SubscriptionType": "EMAIL", "Address": "law@example.com"}
_OTHER = {"SubscriptionType": "EMAIL", "Address": "other@example.com"}


def _budget(name: str, amount: str = "5") -> dict[str, Any]:
    limit = {"Amount": amount, "Unit": "USD"}
    return {"BudgetName": name, "BudgetLimit": limit, "TimeUnit": "MONTHLY", "BudgetType": "COST"}


def _alarm(percent: float) -> dict[str, Any]:
    return {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": percent}


def _role(jar: TestJar) -> str:
    iam = jar.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [_TRUST]})
    try:
        made = iam.create_role(RoleName="law-budgets", AssumeRolePolicyDocument=document)
    except iam.exceptions.EntityAlreadyExistsException:
        made = iam.get_role(RoleName="law-budgets")
    return str(made["Role"]["Arn"])


def _asked(jar: TestJar, name: str, vm: str = "i-0123456789abcdef0") -> dict[str, Any]:
    stop = {"ActionSubType": "STOP_EC2_INSTANCES", "Region": "eu-west-3", "InstanceIds": [vm]}
    return {
        "AccountId": ACCOUNT,
        "BudgetName": name,
        "NotificationType": "ACTUAL",
        "ActionType": "RUN_SSM_DOCUMENTS",
        "ActionThreshold": {"ActionThresholdValue": 80.0, "ActionThresholdType": "PERCENTAGE"},
        "Definition": {"SsmActionDefinition": stop},
        "ExecutionRoleArn": _role(jar),
        "ApprovalModel": "MANUAL",
        "Subscribers": [_MAIL],
    }


def _made(jar: TestJar) -> dict[str, Any]:
    """A budget with two notifications, of which the first has two subscribers."""
    name = f"law{next(_NUMBERS)}"
    told = [{"Notification": _alarm(n), "Subscribers": [_MAIL, _OTHER]} for n in (50, 60)]
    jar.client("budgets").create_budget(AccountId=ACCOUNT, Budget=_budget(name), NotificationsWithSubscribers=told)
    return {"AccountId": ACCOUNT, "BudgetName": name}


def _named(things: Any) -> dict[str, Any]:
    return _made(things.jar)


def _notified(things: Any) -> dict[str, Any]:
    return {**_made(things.jar), "Notification": _alarm(50)}


def _action(things: Any) -> dict[str, Any]:
    named = _made(things.jar)
    made = things.jar.client("budgets").create_budget_action(**_asked(things.jar, named["BudgetName"]))
    return {**named, "ActionId": made["ActionId"]}


def _executed(things: Any) -> dict[str, Any]:
    """An action that waits for approval: something was spent."""
    jar = things.jar
    jar.client("kms").create_key()
    name = f"law{next(_NUMBERS)}"
    jar.client("budgets").create_budget(AccountId=ACCOUNT, Budget=_budget(name, "0.0001"))
    made = jar.client("budgets").create_budget_action(**_asked(jar, name))
    jar.advance(days=1)
    return {"AccountId": ACCOUNT, "BudgetName": name, "ActionId": made["ActionId"],
            "ExecutionType": "APPROVE_BUDGET_ACTION"}  # fmt: skip


def _tagged(things: Any) -> dict[str, Any]:
    return {"ResourceARN": f"arn:aws:budgets::{ACCOUNT}:budget/{_made(things.jar)['BudgetName']}"}


def _export(things: Any) -> dict[str, Any]:
    """An export to be: its bucket is there."""
    try:
        things.jar.client("s3").create_bucket(
            Bucket="law-exports", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}
        )
    except things.jar.client("s3").exceptions.BucketAlreadyOwnedByYou:
        pass
    form = {
        "OutputType": "CUSTOM",
        "Format": "TEXT_OR_CSV",
        "Compression": "GZIP",
        "Overwrite": "OVERWRITE_REPORT",
    }
    where = {"S3Bucket": "law-exports", "S3Prefix": "p", "S3Region": "eu-west-3", "S3OutputConfigurations": form}
    return {
        "Name": f"law{next(_NUMBERS)}",
        "DataQuery": {"QueryStatement": "SELECT BilledCost FROM FOCUS_1_0_AWS"},
        "DestinationConfigurations": {"S3Destination": where},
        "RefreshCadence": {"Frequency": "SYNCHRONOUS"},
    }


def _exported(things: Any, client: Any = None) -> dict[str, Any]:
    """One that is there, in place of those before."""
    exports = client or things.jar.client("bcm-data-exports")
    for one in exports.list_exports()["Exports"]:
        exports.delete_export(ExportArn=one["ExportArn"])
    asked = _export(things)
    return {"ExportArn": exports.create_export(Export=asked)["ExportArn"], "Export": asked}


def _of_export(things: Any, member: str = "ExportArn") -> dict[str, Any]:
    return {member: _exported(things)["ExportArn"]}


def _execution(things: Any) -> dict[str, Any]:
    named = _of_export(things)
    things.jar.settle()
    held = things.jar.client("bcm-data-exports").list_executions(**named)["Executions"]
    return {**named, "ExecutionId": held[0]["ExecutionId"]}


EXPORTS: dict[str, Any] = {
    **{f"bcm-data-exports:{name}": _of_export for name in ("DeleteExport", "GetExport", "ListExecutions")},
    "bcm-data-exports:CreateExport": lambda things: {"Export": _export(things)},
    "bcm-data-exports:UpdateExport": _exported,
    "bcm-data-exports:GetExecution": _execution,
    "bcm-data-exports:GetTable": lambda things: {"TableName": "FOCUS_1_0_AWS"},
    "bcm-data-exports:ListTagsForResource": lambda things: _of_export(things, "ResourceArn"),
    "bcm-data-exports:TagResource": lambda things: {
        **_of_export(things, "ResourceArn"),
        "ResourceTags": [{"Key": "k", "Value": "v"}],
    },
    "bcm-data-exports:UntagResource": lambda things: {**_of_export(things, "ResourceArn"), "ResourceTagKeys": ["k"]},
}
def _report(things: Any) -> dict[str, Any]:
    """A legacy report to be, in place of those before."""
    reports = things.jar.client("cur")
    for one in reports.describe_report_definitions()["ReportDefinitions"]:
        reports.delete_report_definition(ReportName=one["ReportName"])
    where = _export(things)["DestinationConfigurations"]["S3Destination"]
    return {
        "ReportName": f"law{next(_NUMBERS)}",
        "TimeUnit": "DAILY",
        "Format": "textORcsv",
        "Compression": "GZIP",
        "AdditionalSchemaElements": ["RESOURCES"],
        **{name: where[name] for name in ("S3Bucket", "S3Prefix", "S3Region")},
    }


def _reported(things: Any) -> dict[str, Any]:
    asked = _report(things)
    things.jar.client("cur").put_report_definition(ReportDefinition=asked)
    return {"ReportName": asked["ReportName"]}


def _modified(things: Any) -> dict[str, Any]:
    named = _reported(things)
    return {**named, "ReportDefinition": things.jar.client("cur").describe_report_definitions()["ReportDefinitions"][0]}


REPORTS: dict[str, Any] = {
    **{f"cur:{name}": _reported for name in ("DeleteReportDefinition", "ListTagsForResource")},
    "cur:PutReportDefinition": lambda things: {"ReportDefinition": _report(things)},
    "cur:ModifyReportDefinition": _modified,
    "cur:TagResource": lambda things: {**_reported(things), "Tags": [{"Key": "k", "Value": "v"}]},
    "cur:UntagResource": lambda things: {**_reported(things), "TagKeys": ["k"]},
}
SCENES: dict[str, Any] = {
    **EXPORTS,
    **REPORTS,
    **{
        f"budgets:{name}": _named
        for name in (
            "DeleteBudget", "DescribeBudget", "DescribeBudgetActionsForBudget", "DescribeBudgetPerformanceHistory",
            "DescribeNotificationsForBudget",
        )
    },
    **{f"budgets:{name}": _notified for name in ("DeleteNotification", "DescribeSubscribersForNotification")},
    **{
        f"budgets:{name}": _action
        for name in ("DeleteBudgetAction", "DescribeBudgetAction", "DescribeBudgetActionHistories")
    },
    **{
        f"budgets:{name}": lambda things: {"AccountId": ACCOUNT}
        for name in ("DescribeBudgets", "DescribeBudgetActionsForAccount", "DescribeBudgetNotificationsForAccount")
    },
    **{f"budgets:{name}": _tagged for name in ("ListTagsForResource",)},
    "budgets:TagResource": lambda things: {**_tagged(things), "ResourceTags": [{"Key": "k", "Value": "v"}]},
    "budgets:UntagResource": lambda things: {**_tagged(things), "ResourceTagKeys": ["k"]},
    "budgets:CreateBudget": lambda things: {"AccountId": ACCOUNT, "Budget": _budget(f"law{next(_NUMBERS)}")},
    "budgets:UpdateBudget": lambda things: {
        "AccountId": ACCOUNT,
        "NewBudget": _budget(_made(things.jar)["BudgetName"], "6"),
    },
    "budgets:CreateBudgetAction": lambda things: _asked(things.jar, _made(things.jar)["BudgetName"]),
    "budgets:UpdateBudgetAction": lambda things: {**_action(things), "ExecutionRoleArn": _role(things.jar)},
    "budgets:ExecuteBudgetAction": _executed,
    "budgets:CreateNotification": lambda things: {
        **_made(things.jar),
        "Notification": _alarm(70),
        "Subscribers": [_MAIL],
    },
    "budgets:UpdateNotification": lambda things: {
        **_made(things.jar),
        "OldNotification": _alarm(50),
        "NewNotification": _alarm(70),
    },
    "budgets:CreateSubscriber": lambda things: {
        **_notified(things),
        "Subscriber": {"SubscriptionType": "EMAIL", "Address": "third@example.com"},
    },
    "budgets:DeleteSubscriber": lambda things: {**_notified(things), "Subscriber": _MAIL},
    "budgets:UpdateSubscriber": lambda things: {
        **_notified(things),
        "OldSubscriber": _MAIL,
        "NewSubscriber": {"SubscriptionType": "EMAIL", "Address": "third@example.com"},
    },
}


def many(jar: TestJar) -> dict[str, Any]:
    """Several of everything that is listed."""
    budgets = jar.client("budgets")
    told = [{"Notification": _alarm(n), "Subscribers": _people()} for n in (10, 20, 30, 40, 50)]
    for n in range(7):
        budgets.create_budget(AccountId=ACCOUNT, Budget=_budget(f"b{n}"), NotificationsWithSubscribers=told)
    action = ""
    for n in range(7):
        action = budgets.create_budget_action(**_asked(jar, "b0", f"i-0123456789abcdef{n}"))["ActionId"]
    for approval in ("AUTOMATIC", "MANUAL") * 3:
        budgets.update_budget_action(AccountId=ACCOUNT, BudgetName="b0", ActionId=action, ApprovalModel=approval)
    exports = jar.client("bcm-data-exports")
    made = [exports.create_export(Export=_export(_Held(jar)))["ExportArn"] for _ in range(5)]
    mine = {"AccountId": ACCOUNT}
    named = {**mine, "BudgetName": "b0"}
    return {
        "ListExecutions": {"ExportArn": made[0]},
        "DescribeBudgets": mine,
        "ListInvoiceSummaries": {"Selector": {"ResourceType": "ACCOUNT_ID", "Value": ACCOUNT}},
        "DescribeBudgetActionsForAccount": mine,
        "DescribeBudgetNotificationsForAccount": mine,
        "DescribeBudgetActionsForBudget": named,
        "DescribeBudgetActionHistories": {**named, "ActionId": action},
        "DescribeBudgetPerformanceHistory": named,
        "DescribeNotificationsForBudget": named,
        "DescribeSubscribersForNotification": {**named, "Notification": _alarm(10)},
    }


class _Held(NamedTuple):
    """A jar, as scenes have it."""

    jar: TestJar


def _people() -> list[dict[str, str]]:
    return [{"SubscriptionType": "EMAIL", "Address": f"{n}@example.com"} for n in range(7)]
