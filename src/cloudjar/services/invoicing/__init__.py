"""AWS Invoicing: invoices of months that are over. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service("invoicing", ("ops", "documents"))
