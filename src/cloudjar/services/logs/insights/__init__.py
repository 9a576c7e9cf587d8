"""CloudWatch Logs Insights' query language: read, then run over events; pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""
