"""Amazon SES, version 1 of its API. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service("ses", ("access", "links", "ops.identities", "ops.sending", "ops.templates"))
