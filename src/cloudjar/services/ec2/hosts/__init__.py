"""Dedicated Hosts and dedicated instances: machines of one account alone."""
