"""Filter patterns: terms, JSON, space-delimited fields, and regular expressions in each of them; pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""
