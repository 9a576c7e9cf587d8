"""Corrections of what a call needs beside its own action: tags at creation, and whom a passed role is for.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#available-keys-for-iam
"""

from __future__ import annotations

from typing import Any

Ops = dict[str, list[dict[str, Any]]]

# Operation -> the action that tags what it makes, asked for as well when the request has tags.
TAGGED_AT_CREATION = {
    "iam": {
        "CreateUser": "TagUser",
        "CreateRole": "TagRole",
        "CreatePolicy": "TagPolicy",
        "CreateInstanceProfile": "TagInstanceProfile",
        "CreateOpenIDConnectProvider": "TagOpenIDConnectProvider",
        "CreateSAMLProvider": "TagSAMLProvider",
        "CreateVirtualMFADevice": "TagMFADevice",
        "UploadServerCertificate": "TagServerCertificate",
    },
    "kms": {"CreateKey": "TagResource", "ReplicateKey": "TagResource"},
    "secretsmanager": {"CreateSecret": "TagResource"},
    "ssm": {
        "PutParameter": "AddTagsToResource",
        "CreateDocument": "AddTagsToResource",
        "CreateMaintenanceWindow": "AddTagsToResource",
        "CreatePatchBaseline": "AddTagsToResource",
        "CreateActivation": "AddTagsToResource",
        "CreateAssociation": "AddTagsToResource",
    },
    "organizations": {
        "CreateAccount": "TagResource",
        "CreateGovCloudAccount": "TagResource",
        "CreateOrganizationalUnit": "TagResource",
        "CreatePolicy": "TagResource",
        "InviteAccountToOrganization": "TagResource",
    },
    "cloudwatch": dict.fromkeys(
        ("PutMetricAlarm", "PutCompositeAlarm", "PutDashboard", "PutMetricStream"), "TagResource"
    ),
    "cloudtrail": {"CreateTrail": "AddTags", "CreateEventDataStore": "AddTags", "CreateChannel": "AddTags"},
}
INSTANCE = "arn:${Partition}:ec2:${Region}:${Account}:instance/"
# Operation -> the instance that the passed role will be with.
WITH_INSTANCE: dict[str, Any] = {
    "RunInstances": INSTANCE + "*",
    "AssociateIamInstanceProfile": INSTANCE + "${InstanceId}",
    "ReplaceIamInstanceProfileAssociation": ["by", "ec2:instance", "AssociationId", INSTANCE + "*"],
}

# Operations that hand a role to the service itself, of which neither source knows: the member, the service.
PASSED = {
    "cloudwatch": {"PutMetricStream": ("RoleArn", "streams.metrics.cloudwatch.amazonaws.com")},
    "accessanalyzer": {"StartPolicyGeneration": ("cloudTrailDetails.accessRole", "access-analyzer.amazonaws.com")},
}

PASSED_TO = {
    "ec2": {"CreateFlowLogs": "vpc-flow-logs.amazonaws.com"},
    "firehose": dict.fromkeys(("CreateDeliveryStream", "UpdateDestination"), "firehose.amazonaws.com"),
    **dict.fromkeys(
        ("ses", "sesv2"),
        dict.fromkeys(
            ("CreateConfigurationSetEventDestination", "UpdateConfigurationSetEventDestination"), "ses.amazonaws.com"
        ),
    ),
    "logs": dict.fromkeys(("PutDestination", "PutSubscriptionFilter"), "logs.amazonaws.com"),
}
"""Operations that pass a role, and to whom: the reference knows it of none of these."""


def correct(service: Any, ops: Ops) -> None:
    """Change the table of a service in place."""
    for operation, action in TAGGED_AT_CREATION.get(service.name, {}).items():
        member = next(m for m in ("Tags", "TagsList") if m in service.shapes.members(operation))
        first = ops[operation][0]
        # What is made is of the first resource type; where the table knows none, tags are allowed on anything.
        made = [] if service.name == "organizations" else [r for r in first["r"] if r[2] & 1][:1]
        ops[operation].append({"a": f"{first['a'].partition(':')[0]}:{action}", "r": made, "when": ["exists", member]})
    if service.name == "ec2":
        for operation, instance in WITH_INSTANCE.items():
            for entry in ops[operation]:
                if entry["a"] == "iam:PassRole":
                    entry["keys"]["iam:AssociatedResourceArn"] = instance
    if service.name == "logs":
        named = "log-group:${logGroupName,logGroupNames[],logGroupIdentifiers[]}:log-stream:"
        ops["StartQuery"][0]["r"][0][1] = "arn:${Partition}:logs:${Region}:${Account}:" + named
    for operation, to in PASSED_TO.get(service.name, {}).items():
        for entry in ops[operation]:
            if entry["a"] == "iam:PassRole":
                entry["keys"] = {"iam:PassedToService": to}
    for operation, (member, to) in PASSED.get(service.name, {}).items():
        passing = {"a": "iam:PassRole", "r": [["role", "${" + member + "}", 1]], "when": ["exists", member]}
        ops[operation].append({**passing, "keys": {"iam:PassedToService": to}})
