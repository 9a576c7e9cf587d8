"""Durable state: one SQLite database in WAL mode, typed records, sealed secrets.

An acknowledged write survives ``kill -9`` at once and power loss after `Database.flush`, which the
gateway awaits before it answers.
"""
