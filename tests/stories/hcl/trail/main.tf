# A trail of all Regions into a bucket that lets CloudTrail in.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  s3_use_path_style = true
}

data "aws_caller_identity" "me" {}

resource "aws_s3_bucket" "audited" {
  bucket        = "jam-audited"
  force_destroy = true
}

resource "aws_s3_bucket_policy" "audited" {
  bucket = aws_s3_bucket.audited.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Action    = "s3:GetBucketAcl"
        Resource  = aws_s3_bucket.audited.arn
      },
      {
        Effect    = "Allow"
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.audited.arn}/AWSLogs/${data.aws_caller_identity.me.account_id}/*"
        Condition = { StringEquals = { "s3:x-amz-acl" = "bucket-owner-full-control" } }
      },
    ]
  })
}

resource "aws_cloudtrail" "main" {
  depends_on                 = [aws_s3_bucket_policy.audited]
  name                       = "main"
  s3_bucket_name             = aws_s3_bucket.audited.id
  enable_log_file_validation = true
  is_multi_region_trail      = true
  tags                       = { Team = "audit" }

  event_selector {
    data_resource {
      type   = "AWS::S3::Object"
      values = ["arn:aws:s3:::jam-data/"]
    }
  }
}
