"""RDS Proxy: poolers between applications and an instance that may become another machine.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html
"""
