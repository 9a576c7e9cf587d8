"""EBS volumes: the disks that instances boot from."""
