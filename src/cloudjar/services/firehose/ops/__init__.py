"""The operations of Firehose, by noun."""
