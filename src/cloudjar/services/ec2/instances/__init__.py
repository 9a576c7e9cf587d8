"""Instances: run, describe, stop, start, reboot, terminate, attributes, console."""
