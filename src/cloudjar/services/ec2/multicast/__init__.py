"""Multicast domains of transit gateways."""
