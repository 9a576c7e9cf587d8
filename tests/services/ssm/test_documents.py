"""Documents: made, versioned, shared, read, refused."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import TestJar
from tests.services.ssm.asking import refused, statement, user

View = dict[str, Any]


def content(line: str = "ls", **more: Any) -> str:
    step = {"action": "aws:runShellScript", "name": "run", "inputs": {"runCommand": [line]}}
    return json.dumps({"schemaVersion": "2.2", "description": "does", "mainSteps": [step], **more})


def test_made_read_changed_deleted(store: Any) -> None:
    tags = [{"Key": "Env", "Value": "dev"}]
    made = store.create_document(Name="Mine", Content=content(), Tags=tags, VersionName="first")["DocumentDescription"]
    assert (made["DocumentVersion"], made["DefaultVersion"], made["DocumentType"]) == ("1", "1", "Command")
    assert (made["SchemaVersion"], made["PlatformTypes"], made["Description"]) == ("2.2", ["Linux", "MacOS"], "does")
    assert made["Owner"] == "000000000000"
    assert made["Tags"] == tags
    with refused("DocumentAlreadyExists"):
        store.create_document(Name="Mine", Content=content())
    with refused("DuplicateDocumentContent"):
        store.update_document(Name="Mine", Content=content(), DocumentVersion="$LATEST")
    with refused("DuplicateDocumentVersionName"):
        store.update_document(Name="Mine", Content=content("pwd"), VersionName="first", DocumentVersion="$LATEST")
    changed = store.update_document(Name="Mine", Content=content("pwd"), DocumentVersion="$LATEST")
    assert changed["DocumentDescription"]["DocumentVersion"] == "2"
    assert json.loads(store.get_document(Name="Mine")["Content"])["mainSteps"][0]["inputs"]["runCommand"] == ["ls"]
    assert store.get_document(Name="Mine", DocumentVersion="$LATEST")["DocumentVersion"] == "2"
    assert store.get_document(Name="Mine", VersionName="first")["DocumentVersion"] == "1"
    store.update_document_default_version(Name="Mine", DocumentVersion="2")
    assert store.describe_document(Name="Mine")["Document"]["DefaultVersion"] == "2"
    versions = store.list_document_versions(Name="Mine")["DocumentVersions"]
    assert [(one["DocumentVersion"], one["IsDefaultVersion"]) for one in versions] == [("2", True), ("1", False)]
    with refused("InvalidDocumentOperation"):
        store.delete_document(Name="Mine", DocumentVersion="2")
    store.delete_document(Name="Mine", DocumentVersion="1")
    with refused("InvalidDocumentVersion"):
        store.get_document(Name="Mine", DocumentVersion="1")
    store.delete_document(Name="Mine")
    with refused("InvalidDocument", "Document with name Mine does not exist."):
        store.get_document(Name="Mine")


def test_yaml(store: Any) -> None:
    step = "- action: aws:runShellScript\n  name: a\n  inputs:\n    runCommand:\n    - ls\n"
    text = f"schemaVersion: '2.2'\nmainSteps:\n{step}"
    store.create_document(Name="Yaml", Content=text, DocumentFormat="YAML")
    assert store.get_document(Name="Yaml")["Content"] == text
    assert json.loads(store.get_document(Name="Yaml", DocumentFormat="JSON")["Content"])["schemaVersion"] == "2.2"
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nschemaVersion: '2.2'\nmainSteps: *b\n"
    with refused("InvalidDocumentContent", "Aliases"):
        store.create_document(Name="Bomb", Content=bomb, DocumentFormat="YAML")


def test_what_is_no_document(store: Any) -> None:
    for wrong in ("{", "[]", "{}", content(mainSteps=[]), content(mainSteps=["x"]), content("{{ who }}")):
        with refused("InvalidDocumentContent"):
            store.create_document(Name="Wrong", Content=wrong)
    with refused("InvalidDocumentContent", "type of the parameter"):
        store.create_document(Name="Wrong", Content=content(parameters={"a": {"type": "Colour"}}))
    with refused("InvalidDocumentSchemaVersion"):
        store.create_document(Name="Wrong", Content=content(schemaVersion="9.9"))
    with refused("ValidationException", "reserved"):
        store.create_document(Name="AWS-Mine", Content=content())
    with refused("NotImplemented", "Automation", status=501):
        store.create_document(Name="Auto", Content="{}", DocumentType="Automation")


def test_tags(store: Any) -> None:
    store.create_document(Name="Mine", Content=content())
    mine = {"ResourceType": "Document", "ResourceId": "Mine"}
    store.add_tags_to_resource(**mine, Tags=[{"Key": "Env", "Value": "dev"}, {"Key": "Team", "Value": "a"}])
    store.remove_tags_from_resource(**mine, TagKeys=["Team"])
    assert store.list_tags_for_resource(**mine)["TagList"] == [{"Key": "Env", "Value": "dev"}]
    assert store.describe_document(Name="Mine")["Document"]["Tags"] == [{"Key": "Env", "Value": "dev"}]
    with refused("InvalidResourceId"):
        store.list_tags_for_resource(ResourceType="Document", ResourceId="Nobody")


def test_amazon_s_own(store: Any) -> None:
    shown = store.describe_document(Name="AWS-RunShellScript")["Document"]
    assert (shown["Owner"], shown["SchemaVersion"]) == ("Amazon", "1.2")
    assert {one["Name"] for one in shown["Parameters"]} == {"commands", "workingDirectory", "executionTimeout"}
    with refused("InvalidDocument"):
        store.delete_document(Name="AWS-RunShellScript")
    with refused("InvalidDocument"):
        store.update_document(Name="AWS-RunShellScript", Content=content())
    store.create_document(Name="Mine", Content=content())

    def names(key: str, *values: str) -> list[str]:
        found = store.list_documents(Filters=[{"Key": key, "Values": list(values)}])["DocumentIdentifiers"]
        return [one["Name"] for one in found]

    assert names("Owner", "Self") == ["Mine"]
    assert "AWS-StartSSHSession" in names("DocumentType", "Session")
    assert names("Name", "AWS-RunShell") == ["AWS-RunShellScript"]
    with refused("InvalidFilterKey"):
        names("Colour", "red")


def test_shared_with_another_account(jar: TestJar, store: Any) -> None:
    store.create_document(Name="Mine", Content=content())
    arn = "arn:aws:ssm:eu-west-3:000000000000:document/Mine"
    other = jar.client("ssm", key="111122223333")
    with refused("AccessDeniedException"):
        other.get_document(Name=arn)
    store.modify_document_permission(Name="Mine", PermissionType="Share", AccountIdsToAdd=["111122223333"])
    assert store.describe_document_permission(Name="Mine", PermissionType="Share")["AccountIds"] == ["111122223333"]
    assert other.get_document(Name=arn)["Name"] == arn
    with refused("InvalidDocumentOperation", "unshare"):
        store.delete_document(Name="Mine")
    store.modify_document_permission(Name="Mine", PermissionType="Share", AccountIdsToRemove=["111122223333"])
    with refused("AccessDeniedException"):
        other.get_document(Name=arn)


def test_permission_is_on_the_document(jar: TestJar, store: Any) -> None:
    store.create_document(Name="Mine", Content=content())
    store.create_document(Name="Other", Content=content())
    reader = user(jar, "reader", statement("ssm:GetDocument", "arn:aws:ssm:*:*:document/Mine"))
    assert reader.get_document(Name="Mine")
    with refused("AccessDeniedException", "document/Other"):
        reader.get_document(Name="Other")
