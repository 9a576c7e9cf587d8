"""Savings Plans: a commitment by the hour, for a year or three. See README.md."""

from cloudjar.kit.operation import Service

SERVICE = Service("savingsplans", modules=("bill", "life", "ops", "listing"))
