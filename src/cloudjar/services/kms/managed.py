"""AWS managed keys: one per service, account and Region, made when the service first needs it.

https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html (rotated every year)
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.services.kms import material
from cloudjar.services.kms.records import ENABLED, Alias, Key, Material
from cloudjar.services.kms.specs import ENCRYPT, SYMMETRIC

PREFIX = "alias/aws/"
_SERVICES = {
    "acm": "ACM",
    "backup": "Backup",
    "codeartifact": "CodeArtifact",
    "codecommit": "CodeCommit",
    "dms": "DMS",
    "dynamodb": "DynamoDB",
    "ebs": "EBS",
    "ecr": "ECR",
    "elasticfilesystem": "EFS",
    "es": "Elasticsearch Service",
    "fsx": "FSx",
    "glue": "Glue",
    "kinesis": "Kinesis",
    "lambda": "Lambda",
    "rds": "RDS",
    "redshift": "Redshift",
    "s3": "S3",
    "secretsmanager": "Secrets Manager",
    "sns": "SNS",
    "sqs": "SQS",
    "ssm": "SSM",
}
_HOSTS = {"ebs": "ec2"}
"""The service through which calls come, where it is not the alias's own name."""
YEAR = 365


def service_of(alias: str) -> str:
    """The service that an alias of AWS's is for, "" when there is none."""
    name = alias.removeprefix(PREFIX)
    return name if alias.startswith(PREFIX) and name in _SERVICES else ""


def on_first_use(ctx: Ctx, alias: str) -> Key | None:
    """The managed key of a service through which somebody calls for the first time; None for anybody else."""
    service = service_of(alias)
    if not service:
        return None
    host = f"{_HOSTS.get(service, service)}.amazonaws.com"
    via = ctx.caller.called_via
    return make(ctx, service) if via and via[-1] == host else None


def make(ctx: Ctx, service: str) -> Key:
    """A service's managed key and its alias, in the caller's account and Region; the one that is there if there is."""
    name = PREFIX + service
    key_id = ids.uuid4()
    first = material.new(ctx, ctx.account, key_id, SYMMETRIC, 1)
    with ctx.world.state.database.transaction():  # not two at once: reconcilers call from threads of their own
        known = ctx.db[Alias].get(name)
        if known is not None:
            return ctx.db[Key].need(known.key_id)
        stored = ctx.db[Material].add(first)
        key = ctx.db[Key].add(
            Key(
                id=key_id,
                spec=SYMMETRIC,
                usage=ENCRYPT,
                origin="AWS_KMS",
                state=ENABLED,
                made=ctx.now,
                policy=policy(service, ctx.account, ctx.region),
                description=f"Default key that protects my {_SERVICES[service]} data when no other key is defined",
                manager="AWS",
                aliases=(name,),
                material=stored.id,
                rotation_days=YEAR,
                next_rotation=ctx.now + timedelta(days=YEAR),
            )
        )
        ctx.db[Alias].add(Alias(name=name, key_id=key_id, made=ctx.now, updated=ctx.now))
    return key


def policy(service: str, account: str, region: str) -> str:
    """Whoever may use the service may use the key through it, and nobody otherwise; the account may look at it."""
    through = f"{_HOSTS.get(service, service)}.{region}.amazonaws.com"
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Id": f"auto-{service}-2",
            "Statement": [
                _statement(
                    f"Allow access through {_SERVICES[service]} for all principals in the account that are authorized "
                    f"to use {_SERVICES[service]}",
                    "*",
                    ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant",
                     "kms:DescribeKey"],
                    {"StringEquals": {"kms:ViaService": through, "kms:CallerAccount": account}},
                ),
                _statement(
                    "Allow direct access to key metadata to the account",
                    f"arn:aws:iam::{account}:root",
                    ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
                ),
            ],
        }
    )  # fmt: skip


def _statement(
    sid: str, principal: str, actions: list[str], condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": actions,
        "Resource": "*",
    }
    return {**made, "Condition": condition} if condition else made
