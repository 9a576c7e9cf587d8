"""The resources that analyzers look at: every stored record of a known type that has a policy of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import policy_of
from cloudjar.kit.record import Record, arn_of, by_noun
from cloudjar.policy.document import Document, parse
from cloudjar.policy.grammar import Flavour, PolicySyntaxError
from cloudjar.services.accessanalyzer.findings import buckets
from cloudjar.spec import iam

TYPES = {
    ("iam", "role"): "AWS::IAM::Role",
    ("kms", "key"): "AWS::KMS::Key",
    ("secretsmanager", "Secret"): "AWS::SecretsManager::Secret",
    ("s3", "bucket"): "AWS::S3::Bucket",
    ("s3express", "bucket"): "AWS::S3Express::DirectoryBucket",
    ("sqs", "queue"): "AWS::SQS::Queue",
    ("sns", "topic"): "AWS::SNS::Topic",
    ("lambda", "function"): "AWS::Lambda::Function",
    ("ecr", "repository"): "AWS::ECR::Repository",
    ("elasticfilesystem", "file-system"): "AWS::EFS::FileSystem",
    ("dynamodb", "table"): "AWS::DynamoDB::Table",
    ("dynamodb", "stream"): "AWS::DynamoDB::Stream",
}
_BUCKET = "AWS::S3::Bucket"
_OBJECTS = {("s3", "bucket"): "object"}
"""What lies in a resource and is let out with it."""
PREFIXES = tuple({prefix for prefix, _ in TYPES})


POLICY = {"type": "POLICY"}


class Said(NamedTuple):
    """A document that says who may use a resource, and where it comes from, as a finding's ``sources`` have it."""

    document: Document
    source: dict[str, Any]


class Resource(NamedTuple):
    """A resource with the documents that say who may use it."""

    arn: str
    type: str
    noun: tuple[str, str]
    owner: str
    documents: tuple[Said, ...]


def all_of(ctx: Ctx, account: str, region: str) -> Iterator[Resource]:
    """The resources of an account in a Region, and its global ones."""
    stored = set(ctx.world.state.tables.names())
    for (prefix, noun), kind in TYPES.items():
        if f"{prefix}/{noun}" in stored and ctx.world.load(prefix):
            declared = by_noun(prefix, noun)
            if declared is None:
                continue
            there = ctx.at(account, region)
            for item in there.db[declared.type].all():
                if kind == _BUCKET and not buckets.lies_in(item, region):
                    continue
                documents = tuple(_documents(there, prefix, noun, item))
                yield Resource(arn_of(item), kind, (prefix, noun), account, documents)


def _documents(ctx: Ctx, prefix: str, noun: str, item: Record) -> Iterator[Said]:
    if TYPES[prefix, noun] == _BUCKET:
        yield from _of_bucket(ctx, item)
        return
    trust = (prefix, noun) == ("iam", "role")
    text = getattr(item, "trust", "") if trust else policy_of(ctx, prefix, noun, item).text
    if text:
        try:
            yield Said(parse(text, Flavour.TRUST if trust else Flavour.RESOURCE, needs_resource=False), POLICY)
        except PolicySyntaxError:
            return  # nobody can use what is stored in a language of its own
    if (prefix, noun) == ("kms", "key"):
        for document in _grants(ctx, item):
            yield Said(document, POLICY)


def _of_bucket(ctx: Ctx, bucket: Any) -> Iterator[Said]:
    for text in buckets.texts(ctx, bucket):
        try:
            yield Said(parse(text.policy, Flavour.RESOURCE), text.source)
        except PolicySyntaxError:
            continue


def _grants(ctx: Ctx, key: Any) -> Iterator[Document]:
    """A key's grants as policies; the engine asks of them what the caller has, the analyzer all."""
    declared = by_noun("kms", "grant")
    if declared is None:
        return
    for grant in ctx.db[declared.type].all(key_id=key.id):
        grantee = str(grant.grantee.name)
        who = {"AWS": grantee} if grantee.startswith("arn:") else {"Service": grantee}
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Principal": who,
            "Action": [f"kms:{name}" for name in grant.operations],
            "Resource": "*",
        }
        context = grant.equals if grant.equals is not None else grant.subset
        if context:
            statement["Condition"] = {
                "StringEquals": {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
            }
        yield parse(json.dumps({"Version": "2012-10-17", "Statement": [statement]}), Flavour.RESOURCE)


def expanded(pattern: str, noun: tuple[str, str]) -> list[str]:
    """The actions that a pattern names on a type of resource: ``kms:*`` on a key is all that a key can be used for."""
    if "*" not in pattern and "?" not in pattern:
        return [pattern]
    from cloudjar.services.accessanalyzer.validation.actions import named

    prefix = "sts" if noun == ("iam", "role") else noun[0]
    wanted = pattern if pattern != "*" else f"{prefix}:*"
    types = {noun[1], _OBJECTS.get(noun, "")}
    found = []
    for action in named(wanted):
        if action.startswith(f"{prefix}:") and any(r.type in types for r in iam.action(action).resources):
            found.append(action)
    return found
