"""The operations of SES v1, by noun."""
