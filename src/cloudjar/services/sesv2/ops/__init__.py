"""The operations of SES v2, by noun."""
