"""Who may: hierarchies in policies, condition keys, and parameters of other accounts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ssm.asking import arn, document, get, put, refused, statement, user

OTHER = "111122223333"


def test_a_branch_of_the_tree(jar: TestJar, store: Any) -> None:
    for name in ("/dev/a", "/dev/b/c", "/prod/a", "plain"):
        put(store, name, name)
    may = statement(["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"], [arn("dev"), arn("dev/*")])
    reader = user(jar, "reader", may)
    for name in ("/dev/a", "/dev/b/c", "/dev/a:1", arn("dev/a")):
        assert get(reader, name).startswith("/dev/")
    for name in ("/prod/a", "plain", "/device", arn("prod/a"), arn("prod/a") + ":1"):
        with refused("AccessDeniedException", "ssm:GetParameter on resource: arn:aws:ssm:eu-west-3:"):
            get(reader, name)
    with refused("AccessDeniedException", arn("prod/a")):
        reader.get_parameters(Names=["/dev/a", "/prod/a"])
    assert len(reader.get_parameters_by_path(Path="/dev", Recursive=True)["Parameters"]) == 2
    for path in ("/", "/prod"):
        with refused("AccessDeniedException", "ssm:GetParametersByPath"):
            reader.get_parameters_by_path(Path=path)
    for call in (
        lambda: put(reader, "/dev/a", Overwrite=True),
        lambda: reader.delete_parameter(Name="/dev/a"),
        lambda: reader.describe_parameters(),
        lambda: reader.get_parameter_history(Name="/dev/a"),
        lambda: reader.label_parameter_version(Name="/dev/a", Labels=["x"]),
    ):
        with refused("AccessDeniedException"):
            call()


def test_who_may_walk_a_path_gets_what_is_denied_below_it(jar: TestJar, store: Any) -> None:
    put(store, "/a/b/c")
    deny = statement("ssm:*", arn("a/b/*"), effect="Deny")
    reader = user(jar, "reader", statement("ssm:GetParametersByPath", arn("a")), deny)
    assert len(reader.get_parameters_by_path(Path="/a", Recursive=True)["Parameters"]) == 1


def test_tags_decide(jar: TestJar, store: Any) -> None:
    put(store, "/a", Tags=[{"Key": "team", "Value": "red"}])
    put(store, "/b", Tags=[{"Key": "team", "Value": "blue"}])
    red = {"StringEquals": {"ssm:resourceTag/team": "red"}}
    reader = user(jar, "reader", statement("ssm:GetParameter*", Condition=red))
    assert get(reader, "/a") == "v"
    with refused("AccessDeniedException"):
        get(reader, "/b")


def test_conditions_of_writing(jar: TestJar) -> None:
    new = {"StringEquals": {"ssm:Overwrite": "false"}, "Null": {"ssm:Policies": "true"}}
    may = [
        statement("ssm:PutParameter", Condition=new),
        statement("ssm:AddTagsToResource", Condition={"StringEquals": {"aws:RequestTag/team": "red"}}),
    ]
    writer = user(jar, "writer", *may)
    put(writer, "/a")
    put(writer, "/b", Tags=[{"Key": "team", "Value": "red"}])
    with refused("AccessDeniedException", "ssm:PutParameter"):
        put(writer, "/a", Overwrite=True)
    with refused("AccessDeniedException", "ssm:AddTagsToResource"):
        put(writer, "/c", Tags=[{"Key": "team", "Value": "blue"}])
    with refused("AccessDeniedException", "ssm:PutParameter"):
        put(writer, "/d", Tier="Advanced", Policies=json.dumps([{"Type": "NoChangeNotification"}]))


def test_settings_have_arns(jar: TestJar) -> None:
    tier = "/ssm/parameter-store/default-parameter-tier"
    whole = f"arn:aws:ssm:eu-west-3:{ACCOUNT}:servicesetting{tier}"
    reader = user(jar, "reader", statement("ssm:GetServiceSetting", whole))
    for name in (tier, whole):
        assert reader.get_service_setting(SettingId=name)["ServiceSetting"]["ARN"] == whole
    with refused("AccessDeniedException"):
        reader.get_service_setting(SettingId="/ssm/parameter-store/high-throughput-enabled")


@pytest.fixture
def stranger(jar: TestJar) -> Any:
    """Systems Manager as a user of another account who may do everything there."""
    iam = jar.client("iam", key=OTHER)
    iam.create_user(UserName="stranger")
    iam.put_user_policy(UserName="stranger", PolicyName="may", PolicyDocument=document(statement("*")))
    key = iam.create_access_key(UserName="stranger")["AccessKey"]
    return jar.client("ssm", key=key["AccessKeyId"], secret=key["SecretAccessKey"])


def reading(principal: str = OTHER, action: Any = ("ssm:GetParameter", "ssm:GetParameterHistory")) -> str:
    return document(statement(list(action), arn("shared"), Principal={"AWS": principal}))


def test_a_parameter_is_shared_with_another_account(store: Any, stranger: Any) -> None:
    put(store, "/shared", Tier="Advanced")
    whole = arn("shared")
    with refused("AccessDeniedException"):
        get(stranger, whole)
    made = store.put_resource_policy(ResourceArn=whole, Policy=reading())
    found = stranger.get_parameter(Name=whole)["Parameter"]
    assert (found["Name"], found["Value"], found["ARN"]) == (whole, "v", whole)
    assert len(stranger.get_parameter_history(Name=whole)["Parameters"]) == 1
    with refused("ParameterNotFound"):
        get(stranger, "/shared")
    with refused("AccessDeniedException"):
        stranger.get_parameters(Names=[whole])
    with refused("AccessDeniedException"):
        stranger.put_resource_policy(ResourceArn=whole, Policy=reading())
    listed = store.get_resource_policies(ResourceArn=whole)["Policies"]
    assert listed == [{**listed[0], "PolicyId": made["PolicyId"], "PolicyHash": made["PolicyHash"]}]
    which = {"ResourceArn": whole, "PolicyId": made["PolicyId"]}
    with refused("ResourcePolicyConflictException"):
        store.delete_resource_policy(**which, PolicyHash="0" * 64)
    changed = store.put_resource_policy(
        **which, PolicyHash=made["PolicyHash"], Policy=reading(action=["ssm:GetParameters"])
    )
    assert changed["PolicyHash"] != made["PolicyHash"]
    assert stranger.get_parameters(Names=[whole])["Parameters"][0]["Value"] == "v"
    store.put_parameter(Name="/shared", Value="newer", Overwrite=True)
    assert stranger.get_parameters(Names=[whole])["Parameters"][0]["Value"] == "newer"
    store.delete_resource_policy(**which, PolicyHash=changed["PolicyHash"])
    with refused("AccessDeniedException"):
        stranger.get_parameters(Names=[whole])
    with refused("ResourcePolicyNotFoundException"):
        store.delete_resource_policy(**which, PolicyHash=changed["PolicyHash"])


def test_a_shared_secret_needs_its_key_too(jar: TestJar, store: Any, stranger: Any) -> None:
    kms = jar.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    put(store, "/shared", "hidden", "SecureString", Tier="Advanced", KeyId=key)
    store.put_resource_policy(ResourceArn=arn("shared"), Policy=reading())
    with refused("AccessDeniedException", "kms:Decrypt"):
        get(stranger, arn("shared"), WithDecryption=True)
    root = statement("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    use = statement("kms:Decrypt", Principal={"AWS": f"arn:aws:iam::{OTHER}:root"})
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(root, use))
    assert get(stranger, arn("shared"), WithDecryption=True) == "hidden"


def test_what_cannot_be_shared(steady_jar: TestJar) -> None:
    store = steady_jar.client("ssm")
    put(store, "/shared")
    put(store, "/hidden", "x", "SecureString", Tier="Advanced")
    put(store, "/large", Tier="Advanced")
    with refused("ResourcePolicyInvalidParameterException", "advanced-parameter tier"):
        store.put_resource_policy(ResourceArn=arn("shared"), Policy=reading())
    with refused("ResourcePolicyInvalidParameterException", "customer managed key"):
        store.put_resource_policy(ResourceArn=arn("hidden"), Policy=reading())
    with refused("ResourcePolicyInvalidParameterException", "actions"):
        store.put_resource_policy(ResourceArn=arn("large"), Policy=reading(action=["ssm:PutParameter"]))
    with refused("MalformedResourcePolicyDocumentException"):
        store.put_resource_policy(ResourceArn=arn("large"), Policy="{")
    with refused("ResourceNotFoundException"):
        store.put_resource_policy(ResourceArn=arn("nowhere"), Policy=reading())
    with refused("NotImplemented", status=501):
        store.put_resource_policy(
            ResourceArn=f"arn:aws:ssm:eu-west-3:{ACCOUNT}:opsitemgroup/default", Policy=reading()
        )
