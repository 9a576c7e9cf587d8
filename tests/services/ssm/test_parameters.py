"""Parameters: put, read, overwritten, deleted; names, values and tiers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ssm.asking import ROOT, arn, get, put, refused


def test_a_parameter_is_put_and_read(jar: TestJar, store: Any) -> None:
    made = store.put_parameter(Name="/app/db/host", Value="db.internal", Type="String", Description="where")
    assert (made["Version"], made["Tier"]) == (1, "Standard")
    found = store.get_parameter(Name="/app/db/host")["Parameter"]
    assert found == {
        "Name": "/app/db/host",
        "Type": "String",
        "Value": "db.internal",
        "Version": 1,
        "LastModifiedDate": jar.clock.now(),
        "ARN": arn("app/db/host"),
        "DataType": "text",
    }
    described = store.describe_parameters()["Parameters"]
    assert described == [
        {
            "Name": "/app/db/host",
            "ARN": arn("app/db/host"),
            "Type": "String",
            "LastModifiedDate": jar.clock.now(),
            "LastModifiedUser": ROOT,
            "Description": "where",
            "Version": 1,
            "Tier": "Standard",
            "Policies": [],
            "DataType": "text",
        }
    ]


def test_overwriting_makes_a_version(store: Any) -> None:
    put(store, "/a", "1", Description="d", AllowedPattern=r"\d+")
    with refused("ParameterAlreadyExists", "set the overwrite option in the request to true."):
        put(store, "/a", "2")
    assert store.put_parameter(Name="/a", Value="2", Overwrite=True)["Version"] == 2
    assert [get(store, name) for name in ("/a", "/a:1", "/a:2")] == ["2", "1", "2"]
    assert store.get_parameter(Name="/a:1")["Parameter"]["Selector"] == ":1"
    assert store.describe_parameters()["Parameters"][0]["Description"] == "d"
    with refused("ParameterPatternMismatchException", r"\d+"):
        store.put_parameter(Name="/a", Value="x", Overwrite=True)
    with refused("ParameterVersionNotFound", "version 7 of /a."):
        store.get_parameter(Name="/a:7")
    with refused("HierarchyTypeMismatchException"):
        put(store, "/a", "3", "SecureString", Overwrite=True)


def test_it_is_found_by_name_and_by_arn(store: Any) -> None:
    put(store, "/a/b", "slash")
    put(store, "plain", "none")
    assert get(store, arn("a/b")) == "slash"
    assert get(store, arn("a/b") + ":1") == "slash"
    assert get(store, arn("plain")) == "none"
    assert get(store, " /a/b ") == "slash"
    for name in ("a/b", "/plain", "/a", "/A/b", arn("a/b").replace("eu-west-3", "us-east-1")):
        with refused("ParameterNotFound"):
            store.get_parameter(Name=name)


def test_several_at_once(store: Any) -> None:
    put(store, "/a", "1")
    put(store, "/b", "2")
    answer = store.get_parameters(Names=["/a", "/nowhere", "/b:1", "/b:9"])
    assert [p["Value"] for p in answer["Parameters"]] == ["1", "2"]
    assert answer["InvalidParameters"] == ["/nowhere", "/b:9"]
    with refused("ValidationException"):
        store.get_parameters(Names=[f"/{number}" for number in range(11)])


def test_deleted_for_good(store: Any) -> None:
    for name in ("/a", "/b", "/c"):
        put(store, name)
    store.delete_parameter(Name="/a")
    with refused("ParameterNotFound"):
        store.get_parameter(Name="/a")
    with refused("ParameterNotFound"):
        store.delete_parameter(Name="/a")
    answer = store.delete_parameters(Names=["/a", "/b", "/c:1"])
    assert (answer["DeletedParameters"], answer["InvalidParameters"]) == (["/b"], ["/a", "/c:1"])
    assert put(store, "/a") == 1
    assert [p["Name"] for p in store.describe_parameters()["Parameters"]] == ["/a", "/c"]


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("/aws/mine", "AccessDeniedException", "No access to reserved parameter name: /aws/mine."),
        ("/AWSome/x", "AccessDeniedException", "reserved"),
        ("awsome", "ValidationException", 'can\'t be prefixed with "aws" or "ssm"'),
        ("ssm-x", "ValidationException", 'can\'t be prefixed with "aws" or "ssm"'),
        ("/ssm/x", "ValidationException", 'can\'t be prefixed with "ssm"'),
        ("/a b", "ValidationException", "3 symbols .-_"),
        ("/a/", "ValidationException", "sub-paths"),
        ("/a//b", "ValidationException", "sub-paths"),
        ("/a:1", "ValidationException", "sub-paths"),
        ("a/b", "ValidationException", "fully qualified name"),
        ("/1" * 16, "HierarchyLevelLimitExceededException", "15 levels"),
        ("/" + "x" * 1000, "ValidationException", "1011"),
    ],
)
def test_names_that_cannot_be(steady_jar: TestJar, name: str, code: str, words: str) -> None:
    with refused(code, words):
        put(steady_jar.client("ssm"), name)


def test_the_deepest_name(steady_jar: TestJar) -> None:
    store = steady_jar.client("ssm")
    put(store, "/1" * 15)
    assert get(store, "/1" * 15) == "v"


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"Value": ""}, "ValidationException", "at 'value'"),
        ({"Value": "x" * 4097}, "ValidationException", "maximum parameter value of 4096 characters"),
        ({"Value": "é" * 2049}, "ValidationException", "4096"),
        ({"Value": "x" * 8193, "Tier": "Advanced"}, "ValidationException", "8192"),
        ({"Value": "x" * 8193, "Tier": "Intelligent-Tiering"}, "ValidationException", "8192"),
        ({"Value": "a {{ssm:other}}"}, "ValidationException", "nest"),
        ({"Type": None}, "ValidationException", "A parameter type is required when you create a parameter."),
        ({"KeyId": "alias/mine"}, "ValidationException", "KeyId is required for SecureString type parameter only."),
        ({"AllowedPattern": "["}, "InvalidAllowedPatternException", ""),
        ({"AllowedPattern": "x"}, "ParameterPatternMismatchException", "allowedPattern: x"),
        ({"DataType": "colour"}, "ValidationException", "colour"),
        ({"Tags": [{"Key": "aws:a", "Value": "b"}]}, "ValidationException", "aws:"),
        ({"Tags": [{"Key": "a", "Value": "b"}], "Overwrite": True}, "ValidationException", "tags and overwrite"),
        ({"Type": "StringList", "Value": "a,,b"}, "ValidationException", "StringList"),
        ({"Policies": "[]", "Value": "v" * 5000}, "ValidationException", "4096"),
    ],
)
def test_what_cannot_be_put(steady_jar: TestJar, more: dict[str, Any], code: str, words: str) -> None:
    store = steady_jar.client("ssm")
    given = {"Name": "/a", "Value": "v", "Type": "String", **more}
    with refused(code, words):
        store.put_parameter(**{key: value for key, value in given.items() if value is not None})
    assert store.describe_parameters()["Parameters"] == []


def test_a_hostile_pattern_does_not_keep_the_server_busy(steady_jar: TestJar) -> None:
    store = steady_jar.client("ssm")
    with refused("InvalidAllowedPatternException"):
        put(store, "/a", "x" * 4000 + "y", AllowedPattern=r"(x+)+(\1)+")


def test_large_values_need_the_advanced_tier(store: Any) -> None:
    large = "x" * 8192
    assert store.put_parameter(Name="/a", Value=large, Type="String", Tier="Advanced")["Tier"] == "Advanced"
    assert get(store, "/a") == large
    chosen = store.put_parameter(Name="/b", Value="small", Type="String", Tier="Intelligent-Tiering")
    assert chosen["Tier"] == "Standard"
    grown = store.put_parameter(Name="/b", Value=large, Overwrite=True, Tier="Intelligent-Tiering")
    assert (grown["Tier"], grown["Version"]) == ("Advanced", 2)
    assert store.put_parameter(Name="/b", Value="small", Overwrite=True)["Tier"] == "Advanced"
    with refused("ValidationException", "You can't downgrade a parameter"):
        store.put_parameter(Name="/b", Value="small", Overwrite=True, Tier="Standard")


def test_the_default_tier_can_be_set(store: Any) -> None:
    setting = "/ssm/parameter-store/default-parameter-tier"
    found = store.get_service_setting(SettingId=setting)["ServiceSetting"]
    assert (found["SettingValue"], found["Status"]) == ("Standard", "Default")
    assert found["ARN"] == f"arn:aws:ssm:eu-west-3:000000000000:servicesetting{setting}"
    store.update_service_setting(SettingId=setting, SettingValue="Intelligent-Tiering")
    assert store.put_parameter(Name="/a", Value="x" * 5000, Type="String")["Tier"] == "Advanced"
    found = store.get_service_setting(SettingId=found["ARN"])["ServiceSetting"]
    assert (found["SettingValue"], found["Status"]) == ("Intelligent-Tiering", "Customized")
    assert store.reset_service_setting(SettingId=setting)["ServiceSetting"]["SettingValue"] == "Standard"
    with refused("ValidationException", "4096"):
        put(store, "/b", "x" * 5000)


def test_settings_that_are_not_there(steady_jar: TestJar) -> None:
    store = steady_jar.client("ssm")
    throughput = "/ssm/parameter-store/high-throughput-enabled"
    assert store.get_service_setting(SettingId=throughput)["ServiceSetting"]["SettingValue"] == "false"
    with refused("NotImplemented", status=501):
        store.update_service_setting(SettingId=throughput, SettingValue="true")
    with refused("NotImplemented", status=501):
        store.get_service_setting(SettingId="/ssm/opsinsights/opscenter")
    with refused("ServiceSettingNotFound"):
        store.get_service_setting(SettingId="/ssm/nowhere")


def test_an_advanced_parameter_costs(jar: TestJar, store: Any) -> None:
    put(store, "/a")
    put(store, "/b", Tier="Advanced")
    jar.advance(days=3)
    store.delete_parameter(Name="/b")
    jar.advance(days=3)
    assert jar.usage("PS-Advanced-Param-Tier1") == timedelta(days=3)


def test_an_image_must_be_there(jar: TestJar, store: Any) -> None:
    latest = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    image = get(store, latest)
    put(store, "/golden", image, DataType="aws:ec2:image")
    assert store.get_parameter(Name="/golden")["Parameter"]["DataType"] == "aws:ec2:image"
    for value in ("ami-00000000000000000", "not an image"):
        answer = store.put_parameter(Name="/golden", Value=value, Overwrite=True)
        assert answer["Version"] == 2
        assert get(store, "/golden") == image
    store.put_parameter(Name="/never", Value="ami-0", Type="String", DataType="aws:ec2:image")
    with refused("ParameterNotFound"):
        store.get_parameter(Name="/never")
    events = [event.detail for event in jar.jar.events.since(0) if event.source == "aws.ssm"]
    assert [(e["name"], e["operation"], e["action-status"]) for e in events] == [
        ("/golden", "Create", "Success"),
        ("/golden", "Update", "Failed"),
        ("/golden", "Update", "Failed"),
        ("/never", "Create", "Failed"),
    ]


def test_changes_are_told(jar: TestJar, store: Any) -> None:
    put(store, "/a", Description="d")
    store.put_parameter(Name="/a", Value="2", Overwrite=True)
    store.label_parameter_version(Name="/a", Labels=["x"])
    store.delete_parameter(Name="/a")
    events = [event for event in jar.jar.events.since(0) if event.source == "aws.ssm"]
    assert [event.detail["operation"] for event in events] == ["Create", "Update", "LabelParameterVersion", "Delete"]
    assert events[0].detail_type == "Parameter Store Change"
    assert events[0].detail == {"operation": "Create", "name": "/a", "type": "String", "description": "d"}
    assert events[0].resources == (arn("a"),)


def test_tags(store: Any) -> None:
    put(store, "/a", Tags=[{"Key": "team", "Value": "red"}])
    where = {"ResourceType": "Parameter", "ResourceId": "/a"}
    store.add_tags_to_resource(**where, Tags=[{"Key": "env", "Value": "dev"}, {"Key": "team", "Value": "blue"}])
    assert store.list_tags_for_resource(**where)["TagList"] == [
        {"Key": "env", "Value": "dev"},
        {"Key": "team", "Value": "blue"},
    ]
    store.remove_tags_from_resource(**where, TagKeys=["env", "never"])
    store.put_parameter(Name="/a", Value="2", Overwrite=True)
    assert store.list_tags_for_resource(**where)["TagList"] == [{"Key": "team", "Value": "blue"}]
    with refused("TooManyTagsError"):
        store.add_tags_to_resource(**where, Tags=[{"Key": f"k{n}", "Value": ""} for n in range(50)])
    with refused("InvalidResourceId"):
        store.list_tags_for_resource(ResourceType="Parameter", ResourceId="/b")
    with refused("NotImplemented", status=501):
        store.list_tags_for_resource(ResourceType="MaintenanceWindow", ResourceId="mine")
