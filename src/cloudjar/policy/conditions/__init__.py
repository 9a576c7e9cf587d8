"""Condition operators: one file per family; `block` puts them together."""
