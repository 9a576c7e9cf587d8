"""Bytes of objects on disk: encrypted in frames, verified whenever they are read."""
