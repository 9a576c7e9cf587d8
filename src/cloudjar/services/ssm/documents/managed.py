"""The documents that Systems Manager brings along, as far as what they do is built.

Names, parameters, patterns and steps are AWS's, as DescribeDocument and GetDocument tell them; the words are ours.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cloudjar.services.ssm.documents.records import COMMAND, SESSION

PORT = r"^([1-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$"
LOCAL_PORT = r"^([0-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$"
_SECONDS = r"([1-9][0-9]{0,4})|(1[0-6][0-9]{4})|(17[0-1][0-9]{3})|(172[0-7][0-9]{2})|(172800)"
PREFERENCES = "SSM-SessionManagerRunShell"
"""The document with an account's own preferences for sessions; without it, these hold."""


class Managed(NamedTuple):
    """A document of AWS's."""

    name: str
    kind: str
    content: dict[str, Any]

    @property
    def text(self) -> str:
        return json.dumps(self.content, indent=2)


CREATED = datetime(2017, 1, 1, tzinfo=UTC)


def _port(default: str, pattern: str, what: str) -> dict[str, str]:
    return {"type": "String", "description": what, "allowedPattern": pattern, "default": default}


def _session(kind: str, description: str, parameters: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "schemaVersion": "1.0",
        "description": description,
        "sessionType": kind,
        "parameters": parameters,
        "properties": properties,
    }


_SCRIPT = {
    "schemaVersion": "1.2",
    "description": "Run a shell script or specify the commands to run.",
    "parameters": {
        "commands": {
            "type": "StringList",
            "description": "(Required) Specify a shell script or a command to run.",
            "minItems": 1,
            "displayType": "textarea",
        },
        "workingDirectory": {
            "type": "String",
            "default": "",
            "description": "(Optional) The path to the working directory on your instance.",
            "maxChars": 4096,
        },
        "executionTimeout": {
            "type": "String",
            "default": "3600",
            "description": "(Optional) The time in seconds for a command to complete before it is considered to have "
            "failed. Default is 3600 (1 hour). Maximum is 172800 (48 hours).",
            "allowedPattern": _SECONDS,
        },
    },
    "runtimeConfig": {
        "aws:runShellScript": {
            "properties": [
                {
                    "id": "0.aws:runShellScript",
                    "runCommand": "{{ commands }}",
                    "workingDirectory": "{{ workingDirectory }}",
                    "timeoutSeconds": "{{ executionTimeout }}",
                }
            ]
        }
    },
}

_COMMAND = {"command": {"type": "StringList", "description": "The command to run.", "minItems": 1}}
_TO = {
    "portNumber": _port("80", PORT, "(Optional) Port number of the server on the instance"),
    "localPortNumber": _port("0", LOCAL_PORT, "(Optional) Port number on local machine to forward traffic to"),
}
_FORWARD = {
    "portNumber": "{{ portNumber }}",
    "type": "LocalPortForwarding",
    "localPortNumber": "{{ localPortNumber }}",
}

DOCUMENTS: dict[str, Managed] = {
    one.name: one
    for one in (
        Managed("AWS-RunShellScript", COMMAND, _SCRIPT),
        Managed(
            "AWS-StartSSHSession",
            SESSION,
            _session(
                "Port",
                "Document to start SSH session over Session Manager",
                {"portNumber": _port("22", PORT, "(Optional) Port number of SSH server on the instance")},
                {"portNumber": "{{ portNumber }}"},
            ),
        ),
        Managed(
            "AWS-StartPortForwardingSession",
            SESSION,
            _session("Port", "Document to start port forwarding session over Session Manager", _TO, _FORWARD),
        ),
        Managed(
            "AWS-StartPortForwardingSessionToRemoteHost",
            SESSION,
            _session(
                "Port",
                "Document to start port forwarding session over Session Manager to remote host",
                {
                    **_TO,
                    "host": {
                        "type": "String",
                        "description": "(Optional) Hostname or IP address of the destination server",
                        "allowedPattern": r"^[^,$^&\(\)!;'\"<>`{}\[\]\|#=]{3,}$",
                        "default": "localhost",
                    },
                },
                {**_FORWARD, "host": "{{ host }}"},
            ),
        ),
        Managed(
            "AWS-StartInteractiveCommand",
            SESSION,
            _session(
                "InteractiveCommands",
                "Document to run single interactive command on an instance",
                _COMMAND,
                {"linux": {"commands": "{{ command }}", "runAsElevated": False}},
            ),
        ),
        Managed(
            "AWS-StartNonInteractiveCommand",
            SESSION,
            _session(
                "NonInteractiveCommands",
                "Document to run single non-interactive command on an instance",
                _COMMAND,
                {"linux": {"commands": "{{ command }}", "runAsElevated": False}},
            ),
        ),
    )
}
