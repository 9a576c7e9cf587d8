"""Amazon SES, version 1 of its API. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "ses",
    (
        "access",
        "life",
        "links",
        "ops.identities",
        "ops.notifications",
        "ops.sending",
        "ops.sets",
        "ops.templates",
    ),
)
