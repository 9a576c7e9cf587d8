"""History and labels."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ssm.asking import get, refused


@pytest.fixture
def three(store: Any) -> Any:
    """A parameter with three versions."""
    for number in (1, 2, 3):
        store.put_parameter(Name="/a", Value=str(number), Type="String", Overwrite=True)
    return store


def labels(store: Any) -> dict[int, list[str]]:
    """Version -> labels."""
    return {version["Version"]: version["Labels"] for version in store.get_parameter_history(Name="/a")["Parameters"]}


def test_history_has_every_version(three: Any) -> None:
    history = three.get_parameter_history(Name="/a")["Parameters"]
    assert [(version["Version"], version["Value"]) for version in history] == [(1, "1"), (2, "2"), (3, "3")]
    assert history[0]["LastModifiedUser"].endswith(":root")
    first = three.get_parameter_history(Name="/a", MaxResults=2)
    rest = three.get_parameter_history(Name="/a", NextToken=first["NextToken"])
    assert [version["Version"] for version in rest["Parameters"]] == [3]
    with refused("ParameterNotFound"):
        three.get_parameter_history(Name="/b")


def test_labels_name_versions(three: Any) -> None:
    answer = three.label_parameter_version(Name="/a", ParameterVersion=1, Labels=["stable", "old"])
    assert (answer["ParameterVersion"], answer["InvalidLabels"]) == (1, [])
    assert three.label_parameter_version(Name="/a", Labels=["test"])["ParameterVersion"] == 3
    found = three.get_parameter(Name="/a:stable")["Parameter"]
    assert (found["Value"], found["Version"], found["Selector"]) == ("1", 1, ":stable")
    three.label_parameter_version(Name="/a", ParameterVersion=2, Labels=["stable"])
    assert labels(three) == {1: ["old"], 2: ["stable"], 3: ["test"]}
    assert get(three, "/a:stable") == "2"
    with refused("ParameterVersionNotFound", "nothing of /a."):
        three.get_parameter(Name="/a:nothing")
    with refused("ParameterVersionNotFound"):
        three.label_parameter_version(Name="/a", ParameterVersion=9, Labels=["x"])


def test_labels_that_cannot_be_are_left_out(three: Any) -> None:
    bad = ["1st", "aws-x", "SSMx", "a b", "x" * 100 + "y"]
    answer = three.label_parameter_version(Name="/a", Labels=[*bad[:4], "good", "_x.-"])
    assert answer["InvalidLabels"] == bad[:4]
    assert labels(three)[3] == ["good", "_x.-"]


def test_labels_are_taken_off(three: Any) -> None:
    three.label_parameter_version(Name="/a", ParameterVersion=1, Labels=["x", "y"])
    answer = three.unlabel_parameter_version(Name="/a", ParameterVersion=1, Labels=["x", "z"])
    assert (answer["RemovedLabels"], answer["InvalidLabels"]) == (["x"], ["z"])
    assert labels(three)[1] == ["y"]


def test_a_version_has_ten_labels(three: Any) -> None:
    three.label_parameter_version(Name="/a", Labels=[f"l{number}" for number in range(10)])
    with refused("ParameterVersionLabelLimitExceeded", "maximum 10 labels"):
        three.label_parameter_version(Name="/a", Labels=["another"])
    three.label_parameter_version(Name="/a", Labels=["l0"])


def test_a_hundred_versions_are_kept_unless_a_label_holds_the_oldest(steady_jar: TestJar) -> None:
    store = steady_jar.client("ssm")
    for number in range(1, 102):
        store.put_parameter(Name="/a", Value=str(number), Type="String", Overwrite=True)
    pages = store.get_paginator("get_parameter_history").paginate(Name="/a")
    kept = [version["Version"] for page in pages for version in page["Parameters"]]
    assert kept == list(range(2, 102))
    with refused("ParameterVersionNotFound"):
        store.get_parameter(Name="/a:1")
    store.label_parameter_version(Name="/a", ParameterVersion=2, Labels=["keep"])
    with refused("ParameterMaxVersionLimitExceeded", "Version 2, the oldest version, can't be deleted"):
        store.put_parameter(Name="/a", Value="102", Overwrite=True)
    store.label_parameter_version(Name="/a", Labels=["keep"])
    assert store.put_parameter(Name="/a", Value="102", Overwrite=True)["Version"] == 102
