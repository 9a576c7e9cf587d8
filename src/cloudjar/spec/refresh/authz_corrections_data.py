"""Corrections of the services that hold data and run code: S3, SQS, SNS, Lambda, DynamoDB, Logs, keys, secrets."""

from __future__ import annotations

import re
from typing import Any

from cloudjar.spec.refresh.authz_corrections_elb import balancers
from cloudjar.spec.refresh.authz_corrections_mail import identities
from cloudjar.spec.refresh.authz_corrections_trails import trails

Ops = dict[str, list[dict[str, Any]]]
Template = str | list[Any]

REQUIRED = 1
S3 = "arn:${Partition}:s3:::"
BUCKET = S3 + "${Bucket}"
OBJECT = S3 + "${Bucket}/${Key}"


def correct(service: Any, ops: Ops) -> None:
    """Change the table of a service in place."""
    fixes = {
        "s3": s3,
        "sqs": sqs,
        "sns": sns,
        "lambda": functions,
        "dynamodb": dynamodb,
        "dynamodbstreams": streams,
        "logs": logs,
        "kms": keys,
        "secretsmanager": secrets,
        "ecs": ecs,
        "events": events,
        "scheduler": scheduler,
        "pipes": pipes,
        "cloudformation": stacks,
        "route53": route53,
        "accessanalyzer": analyzers,
        "elbv2": balancers,
        "cloudtrail": trails,
        "sesv2": identities,
    }
    if service.name in fixes:
        fixes[service.name](service, ops)


def one(action: str, kind: str, template: Template, when: list[str] | None = None) -> dict[str, Any]:
    """An entry on one resource."""
    return {"a": action, "r": [[kind, template, REQUIRED]]} | ({"when": when} if when else {})


def replace(ops: Ops, operation: str, kind: str, template: Template) -> None:
    """Give a resource of every entry of an operation another template."""
    for entry in ops[operation]:
        entry["r"] = [r for r in entry["r"] if r[0] != kind] + [[kind, template, REQUIRED]]


def same(ops: Ops, operation: str, as_operation: str) -> None:
    """An operation that needs just what another needs."""
    ops[operation] = ops[as_operation]


# -- S3 ------------------------------------------------------------------------------------------------


def versioned(action: str) -> list[dict[str, Any]]:
    """An object's action, or its twin for one version."""
    twin = action.replace("Object", "ObjectVersion", 1)
    return [one(f"s3:{action}", "object", OBJECT, ["missing", "VersionId"]),
            one(f"s3:{twin}", "object", OBJECT, ["exists", "VersionId"])]  # fmt: skip


def writing() -> list[dict[str, Any]]:
    """What headers of a write ask besides the write itself."""
    grants = "ACL,GrantFullControl,GrantRead,GrantReadACP,GrantWriteACP"
    return [
        one("s3:PutObject", "object", OBJECT),
        one("s3:PutObjectAcl", "object", OBJECT, ["exists", grants]),
        one("s3:PutObjectTagging", "object", OBJECT, ["exists", "Tagging"]),
        one("s3:PutObjectRetention", "object", OBJECT, ["exists", "ObjectLockMode"]),
        one("s3:PutObjectLegalHold", "object", OBJECT, ["exists", "ObjectLockLegalHoldStatus"]),
    ]


def s3(_service: Any, ops: Ops) -> None:
    """Versions, tags, ACLs, copies and the operations whose action has another name."""
    source = S3 + "${CopySource|bare:/|before:?}"
    copied = [
        one("s3:GetObject", "object", source),
        one("s3:GetObjectTagging", "object", source, ["differs", "TaggingDirective", "REPLACE"]),
    ]
    for operation in ("GetObject", "DeleteObject", "GetObjectAcl", "PutObjectAcl", "GetObjectTagging",
                      "PutObjectTagging", "DeleteObjectTagging", "GetObjectTorrent"):  # fmt: skip
        ops[operation] = versioned(operation)
    ops["GetObjectTorrent"] = [one("s3:GetObjectTorrent", "object", OBJECT)]
    ops["HeadObject"] = versioned("GetObject")
    ops["GetObjectAttributes"] = versioned("GetObject") + versioned("GetObjectAttributes")
    keys = S3 + "${Bucket}/${Delete.Objects[].Key}"
    # Which key has a version only the handler can pair; whoever may delete versions must be asked for all.
    ops["DeleteObjects"] = [
        one("s3:DeleteObject", "object", keys),
        one("s3:DeleteObjectVersion", "object", keys, ["exists", "Delete.Objects[].VersionId"]),
        one("s3:BypassGovernanceRetention", "object", keys, ["equals", "BypassGovernanceRetention", "true"]),
    ]
    ops["DeleteObject"].append(
        one("s3:BypassGovernanceRetention", "object", OBJECT, ["equals", "BypassGovernanceRetention", "true"])
    )
    ops["PutObject"] = writing()
    ops["CreateMultipartUpload"] = writing()
    ops["CopyObject"] = writing() + copied
    ops["UploadPartCopy"] = [one("s3:PutObject", "object", OBJECT), one("s3:GetObject", "object", source)]
    for operation in ("UploadPart", "CompleteMultipartUpload", "RenameObject", "PutObjectAnnotation"):
        ops[operation] = [one("s3:PutObject", "object", OBJECT)]
    ops["SelectObjectContent"] = [one("s3:GetObject", "object", OBJECT)]
    ops["AbortMultipartUpload"] = [one("s3:AbortMultipartUpload", "object", OBJECT)]
    ops["ListParts"] = [one("s3:ListMultipartUploadParts", "object", OBJECT)]
    ops["ListBuckets"] = [{"a": "s3:ListAllMyBuckets", "r": []}]
    for operation, action in BUCKET_ACTIONS.items():
        ops[operation] = [one(f"s3:{action}", "bucket", BUCKET)]
    ops["CreateBucket"] += [
        one("s3:PutBucketAcl", "bucket", BUCKET, ["exists", "ACL,GrantFullControl,GrantRead,GrantWrite"]),
        one("s3:PutBucketObjectLockConfiguration", "bucket", BUCKET, ["equals", "ObjectLockEnabledForBucket", "true"]),
        one("s3:PutBucketOwnershipControls", "bucket", BUCKET, ["exists", "ObjectOwnership"]),
    ]
    role = "ReplicationConfiguration.Role"
    ops["PutBucketReplication"].append(
        one("iam:PassRole", "role", "${" + role + "}") | {"keys": {"iam:PassedToService": "s3.amazonaws.com"}}
    )
    for operation in ("GetObjectAnnotation", "DeleteObjectAnnotation", "ListObjectAnnotations"):
        for entry in ops[operation]:
            entry["r"] = [["object", OBJECT, REQUIRED]]
    replace(ops, "UpdateObjectEncryption", "object", OBJECT)
    ops["WriteGetObjectResponse"] = [{"a": "s3-object-lambda:WriteGetObjectResponse", "r": []}]


BUCKET_ACTIONS = {
    "CreateBucket": "CreateBucket",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "GetBucketLocation": "GetBucketLocation",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "GetBucketNotification": "GetBucketNotification",
    "PutBucketNotification": "PutBucketNotification",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetBucketCors": "GetBucketCORS",
    "PutBucketCors": "PutBucketCORS",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketTagging": "PutBucketTagging",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "GetBucketMetricsConfiguration": "GetMetricsConfiguration",
    "PutBucketMetricsConfiguration": "PutMetricsConfiguration",
    "DeleteBucketMetricsConfiguration": "PutMetricsConfiguration",
    "ListBucketMetricsConfigurations": "GetMetricsConfiguration",
    "GetBucketAnalyticsConfiguration": "GetAnalyticsConfiguration",
    "PutBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "DeleteBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "ListBucketAnalyticsConfigurations": "GetAnalyticsConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
    "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
    "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
    "GetBucketIntelligentTieringConfiguration": "GetIntelligentTieringConfiguration",
    "PutBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "DeleteBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "ListBucketIntelligentTieringConfigurations": "GetIntelligentTieringConfiguration",
}


# -- messages, functions, tables ----------------------------------------------------------------------


def sqs(_service: Any, ops: Ops) -> None:
    """A queue's account and name are the last two parts of its URL."""
    queue = "arn:${Partition}:sqs:${Region}:${QueueUrl|segment:-2}:${QueueUrl|segment:-1}"
    ops["SendMessageBatch"] = [{"a": "sqs:SendMessage", "r": []}]
    ops["DeleteMessageBatch"] = [{"a": "sqs:DeleteMessage", "r": []}]
    ops["ChangeMessageVisibilityBatch"] = [{"a": "sqs:ChangeMessageVisibility", "r": []}]
    for operation, entries in ops.items():
        if operation not in ("CreateQueue", "GetQueueUrl", "ListQueues"):
            for entry in entries:
                entry["r"] = [["queue", queue, REQUIRED]]
    own = "arn:${Partition}:sqs:${Region}:${Account}:${QueueName}"
    other = "arn:${Partition}:sqs:${Region}:${QueueOwnerAWSAccountId}:${QueueName}"
    ops["GetQueueUrl"] = [one("sqs:GetQueueUrl", "queue", ["if", "QueueOwnerAWSAccountId", other, own])]
    source = ["arn", "SourceArn", "arn:${Partition}:sqs:${Region}:${Account}:${QueueName}"]
    for operation in ("StartMessageMoveTask", "ListMessageMoveTasks"):
        ops[operation] = [one(f"sqs:{operation}", "queue", source)]
    ops["CancelMessageMoveTask"] = [
        one("sqs:CancelMessageMoveTask", "queue", ["by", "sqs:move-task-queue", "TaskHandle", "*"])
    ]


def sns(_service: Any, ops: Ops) -> None:
    """Publishing names a topic, an endpoint or a telephone; a subscription belongs to a topic."""
    ops["Publish"] = [one("sns:Publish", "topic", ["first", "${TopicArn}", "${TargetArn}"])]
    ops["PublishBatch"] = [one("sns:Publish", "topic", "${TopicArn}")]
    for operation in ("GetSubscriptionAttributes", "SetSubscriptionAttributes", "Unsubscribe"):
        topic = ["by", "sns:subscription-topic", "SubscriptionArn", "*"]
        ops[operation] = [one(f"sns:{operation}", "topic", topic)]


def functions(service: Any, ops: Ops) -> None:
    """A function by name, partial ARN or ARN; with a qualifier the ARN ends in it."""
    plain = "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName|function}"
    qualified = "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName|function}:${Qualifier}"
    ops["InvokeWithResponseStream"] = [{"a": "lambda:InvokeFunction", "r": []}]
    for operation, entries in ops.items():
        members = service.shapes.members(operation)
        if "FunctionName" not in members or not entries or entries[0].get("assumed"):
            continue
        template: Template = ["if", "Qualifier", qualified, plain] if "Qualifier" in members else plain
        others = [r for r in entries[0]["r"] if not r[0].startswith("function")]
        entries[0]["r"] = [["function", template, REQUIRED], *others]
    layer = "arn:${Partition}:lambda:${Region}:${Account}:layer:${LayerName|name}:${VersionNumber}"
    for operation in ("AddLayerVersionPermission", "DeleteLayerVersion", "GetLayerVersion", "GetLayerVersionPolicy",
                      "RemoveLayerVersionPermission"):  # fmt: skip
        replace(ops, operation, "layerVersion", layer)
    for operation in ("DeleteEventSourceMapping", "GetEventSourceMapping", "UpdateEventSourceMapping"):
        for entry in ops[operation]:
            entry["r"] = [r for r in entry["r"] if not r[0].startswith("function")]
        arn = "arn:${Partition}:lambda:${Region}:${Account}:event-source-mapping:${UUID}"
        replace(ops, operation, "eventSourceMapping", arn)


def dynamodb(_service: Any, ops: Ops) -> None:
    """Tables by name or ARN, also as keys of a map and inside statements; an index has its own ARN."""
    table = "arn:${Partition}:dynamodb:${Region}:${Account}:table/"
    for operation in ("Query", "Scan"):
        index = table + "${TableName|last}/index/${IndexName}"
        ops[operation] = [one(f"dynamodb:{operation}", "table", ["if", "IndexName", index, table + "${TableName}"])]
    for operation in ("BatchGetItem", "BatchWriteItem"):
        ops[operation] = [one(f"dynamodb:{operation}", "table", table + "${RequestItems@}")]
    ops["TransactGetItems"] = [one("dynamodb:GetItem", "table", table + "${TransactItems[].Get.TableName}")]
    ops["TransactWriteItems"] = [
        one(f"dynamodb:{action}", "table", table + "${TransactItems[]." + member + ".TableName}",
            ["exists", f"TransactItems[].{member}.TableName"])
        for member, action in (("Put", "PutItem"), ("Update", "UpdateItem"), ("Delete", "DeleteItem"),
                               ("ConditionCheck", "ConditionCheckItem"))
    ]  # fmt: skip
    ops["ImportTable"] = [one("dynamodb:ImportTable", "table", table + "${TableCreationParameters.TableName}")]
    for operation in ("BatchExecuteStatement", "ExecuteStatement", "ExecuteTransaction"):
        for entry in ops[operation]:
            if entry.get("when"):
                entry["r"] = [["table", ["by", "dynamodb:statement-table", entry["when"][1], table + "*"], REQUIRED]]


def streams(_service: Any, ops: Ops) -> None:
    """A shard iterator carries its stream."""
    ops["GetRecords"] = [one("dynamodb:GetRecords", "stream", ["by", "dynamodb:iterator-stream", "ShardIterator", "*"])]


def logs(service: Any, ops: Ops) -> None:
    """What concerns a whole group is asked on its streams: the ARN of a group ends in ``:log-stream:``."""
    group = "arn:${Partition}:logs:${Region}:${Account}:log-group:"
    for operation, entries in ops.items():
        for entry in entries:
            for r in entry["r"]:
                if r[0] == "log-group" and r[1] == group + "${logGroupName}":
                    r[1] = group + "${logGroupName}:log-stream:"
                if r[0] == "log-group" and operation in ("TagLogGroup", "UntagLogGroup", "ListTagsLogGroup"):
                    r[1] = group + "${logGroupName}"
        members = service.shapes.members(operation)
        if {"logGroupName", "logGroupIdentifier"} <= set(members):
            for r in entries[0]["r"]:
                if r[0] == "log-group":
                    r[1] = group + "${logGroupName,logGroupIdentifier}:log-stream:"
    for operation in ("PutLogEvents", "CreateLogStream", "DeleteLogStream", "GetLogEvents"):
        stream = group + "${logGroupName}:log-stream:${logStreamName}"
        ops[operation] = [one(f"logs:{operation}", "log-stream", stream)]


def keys(_service: Any, ops: Ops) -> None:
    """A key by id, ARN or alias: the permission is always on the key."""
    text = "arn:${Partition}:kms:${Region}:${Account}:"
    for entries in ops.values():
        for entry in entries:
            for r in entry["r"]:
                member = re.search(r"key/\$\{(\w+)\}$", r[1]) if isinstance(r[1], str) else None
                if r[0] == "key" and member:
                    r[1] = ["by", "kms:key", member[1], text + "key/${value}"]
                if r[0] == "alias" and isinstance(r[1], str):
                    r[1] = text + "alias/${AliasName|bare:alias/}"
    replace(ops, "DeleteAlias", "key", ["by", "kms:alias-key", "AliasName", text + "key/*"])
    for operation in ("Decrypt", "ReEncrypt"):  # without a key id, the ciphertext knows
        for r in ops[operation][0]["r"]:
            if r[0] == "key":
                r[1] = ["first", r[1], ["by", "kms:ciphertext-key", "", text + "key/*"]]


def secrets(service: Any, ops: Ops) -> None:
    """A secret's ARN ends in six random letters that its name does not have."""
    text = "arn:${Partition}:secretsmanager:${Region}:${Account}:secret:"
    for operation, entries in ops.items():
        members = service.shapes.members(operation)
        path = "SecretId" if "SecretId" in members else "SecretIdList[]" if "SecretIdList" in members else ""
        for entry in entries:
            for r in entry["r"]:
                if r[0] == "Secret" and path:
                    r[1] = ["by", "secretsmanager:Secret", path, text + "${value}"]
                    r[2] &= REQUIRED
    ops["CreateSecret"] = [
        one("secretsmanager:CreateSecret", "Secret", text + "${Name}"),
        one("secretsmanager:ReplicateSecretToRegions", "Secret", text + "${Name}",
            ["exists", "AddReplicaRegions[].Region"]),
    ]  # fmt: skip
    ops["ValidateResourcePolicy"] = [
        {**entry, "a": f"secretsmanager:{action}"}
        for entry in ops["ValidateResourcePolicy"][:1]
        for action in ("ValidateResourcePolicy", "PutResourcePolicy")
    ]


def ecs(service: Any, ops: Ops) -> None:
    """The cluster is ``default`` unless named; a task definition may be a family."""
    for operation, entries in ops.items():
        members = service.shapes.members(operation)
        for entry in entries:
            for r in entry["r"]:
                if r[0] == "task-definition" and "taskDefinition" in members:
                    text = "arn:${Partition}:ecs:${Region}:${Account}:task-definition/${value|last}"
                    r[1], r[2] = ["by", "ecs:task-definition", "taskDefinition", text], r[2] & REQUIRED
                elif isinstance(r[1], str) and operation not in ("CreateCluster", "DeleteCluster", "UpdateCluster"):
                    r[1] = re.sub(r"\$\{cluster(\|last|\|name)?\}", "${cluster|last|or:default}", r[1])


def events(_service: Any, ops: Ops) -> None:
    """A rule's ARN names its bus, except on the default one."""
    for operation, member in (("PutRule", "Name"), ("DeleteRule", "Name"), ("DescribeRule", "Name"),
                              ("EnableRule", "Name"), ("DisableRule", "Name"), ("PutTargets", "Rule"),
                              ("RemoveTargets", "Rule"), ("ListTargetsByRule", "Rule")):  # fmt: skip
        rule = "arn:${Partition}:events:${Region}:${Account}:${EventBusName|bus|or:rule/}${" + member + "}"
        entry = one(f"events:{operation}", "rule-on-default-event-bus", rule)
        ops[operation] = [entry] + [e for e in ops[operation] if e["a"] == "iam:PassRole"]
    bus = "arn:${Partition}:events:${Region}:${Account}:event-bus/"
    ops["PutEvents"] = [one("events:PutEvents", "event-bus", bus + "${Entries[].EventBusName|or:default}")]
    ops["PutTargets"].append(passing("Targets[].RoleArn", "events.amazonaws.com"))
    for operation, member in (("CreateArchive", "EventSourceArn"), ("StartReplay", "Destination.Arn")):
        replace(ops, operation, "event-bus", "${" + member + "}")
    anyone = "arn:${Partition}:events:${Region}:${Account}:connection/*"
    own = ["by", "events:connection-of-destination", "Name", anyone]
    replace(ops, "DescribeApiDestination", "connection", own)


def scheduler(_service: Any, ops: Ops) -> None:
    """A schedule is of a group; its target's role is passed."""
    text = "arn:${Partition}:scheduler:${Region}:${Account}:"
    for operation in ("CreateSchedule", "UpdateSchedule", "GetSchedule", "DeleteSchedule"):
        replace(ops, operation, "schedule", text + "schedule/${GroupName|or:default}/${Name}")
    for operation in ("CreateScheduleGroup", "GetScheduleGroup", "DeleteScheduleGroup"):
        replace(ops, operation, "schedule-group", text + "schedule-group/${Name}")
    for operation in ("CreateSchedule", "UpdateSchedule"):
        ops[operation].append(passing("Target.RoleArn", "scheduler.amazonaws.com"))


def pipes(_service: Any, ops: Ops) -> None:
    """A pipe is given a role."""
    for operation in ("CreatePipe", "UpdatePipe"):
        ops[operation].append(passing("RoleArn", "pipes.amazonaws.com"))


def passing(path: str, principal: str) -> dict[str, Any]:
    """iam:PassRole on the role at a path, to the service that will use it."""
    return one("iam:PassRole", "role", "${" + path + "}", ["exists", path]) | {
        "keys": {"iam:PassedToService": principal}
    }


def stacks(service: Any, ops: Ops) -> None:
    """A stack's ARN ends in an id that its name does not have."""
    text = "arn:${Partition}:cloudformation:${Region}:${Account}:"
    named = {
        "stack": ("StackName", text + "stack/${value}/*"),
        "stackset": ("StackSetName", text + "stackset/${value}:*"),
    }
    for operation, entries in ops.items():
        for entry in entries:
            for r in entry["r"]:
                member, fallback = named.get(r[0], ("", ""))
                if member and member in service.shapes.members(operation):
                    r[1] = ["by", f"cloudformation:{r[0]}", member, fallback]
                    r[2] &= REQUIRED
    ops["CreateStack"][0]["r"] = [["stack", text + "stack/${StackName}/*", REQUIRED]]


def analyzers(_service: Any, ops: Ops) -> None:
    """The second versions of operations have the permissions of the first."""
    same(ops, "GetFindingV2", "GetFinding")
    same(ops, "ListFindingsV2", "ListFindings")


def route53(_service: Any, ops: Ops) -> None:
    """Ids may come with their path in front: /hostedzone/Z1."""
    for entries in ops.values():
        for entry in entries:
            for r in entry["r"]:
                if isinstance(r[1], str):
                    r[1] = r[1].replace("${HostedZoneId}", "${HostedZoneId|last}").replace("${Id}", "${Id|last}")
