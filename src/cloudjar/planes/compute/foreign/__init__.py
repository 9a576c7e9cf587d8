"""Disk images in other hypervisors' formats, and the systems on them. What comes from outside is not believed."""
