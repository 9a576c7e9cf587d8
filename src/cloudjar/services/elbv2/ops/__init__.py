"""What Elastic Load Balancing is asked, by noun."""
