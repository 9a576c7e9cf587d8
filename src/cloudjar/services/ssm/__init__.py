"""AWS Systems Manager: parameters, documents, nodes, sessions. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "ssm",
    (
        "access",
        "bill",
        "life",
        "ops.reading",
        "ops.listing",
        "ops.writing",
        "ops.labels",
        "ops.tagging",
        "ops.sharing",
        "ops.settings",
        "documents.ops",
        "nodes.listing",
        "nodes.life",
        "commands.ops",
        "commands.running",
        "sessions.ops",
        "sessions.door",
        "sessions.life",
    ),
    boots=True,
)
