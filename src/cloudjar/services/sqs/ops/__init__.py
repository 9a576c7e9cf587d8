"""The operations of SQS, by noun."""
