"""AWS Data Exports. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service("bcm-data-exports", ("life", "ops.exports", "ops.tables", "ops.tagging"))
