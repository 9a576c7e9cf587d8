"""The hands: each plane is a port (the promise), a pure plan, a simulation and the Linux drivers.

The only room besides the gateway where processes, sockets, namespaces and netlink may appear.
"""
