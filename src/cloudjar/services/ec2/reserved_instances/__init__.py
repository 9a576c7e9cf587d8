"""Reserved Instances: what is bought ahead, for a year or three."""
