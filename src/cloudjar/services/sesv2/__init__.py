"""Amazon SES, version 2 of its API. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "sesv2",
    (
        "ops.accounts",
        "ops.identities",
        "ops.policies",
        "ops.sending",
        "ops.sets",
        "ops.suppression",
        "ops.templates",
    ),
)
