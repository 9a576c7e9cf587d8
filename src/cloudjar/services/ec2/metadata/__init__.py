"""What an instance learns about itself from 169.254.169.254."""
