"""What a service is written with: operations, records, machines, reconcilers, meters, audit."""
