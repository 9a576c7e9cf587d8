# A small landing zone: two units, an account in each, a fence around both, and who watches over them.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "stage" {
  default = "production"
}

resource "aws_organizations_organization" "main" {
  feature_set                   = "ALL"
  enabled_policy_types          = ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", "TAG_POLICY"]
  aws_service_access_principals = ["account.amazonaws.com", "guardduty.amazonaws.com"]
}

resource "aws_organizations_organizational_unit" "workloads" {
  name      = "workloads"
  parent_id = aws_organizations_organization.main.roots[0].id
}

resource "aws_organizations_organizational_unit" "stage" {
  name      = var.stage
  parent_id = aws_organizations_organizational_unit.workloads.id
  tags      = { Stage = var.stage }
}

resource "aws_organizations_account" "shop" {
  name                       = "shop"
  email                      = "shop@example.com"
  parent_id                  = aws_organizations_organizational_unit.stage.id
  role_name                  = "landlord"
  iam_user_access_to_billing = "ALLOW"
  close_on_deletion          = true
  tags                       = { Team = "shop" }
  lifecycle {
    ignore_changes = [role_name, iam_user_access_to_billing] # AWS does not tell them
  }
}

resource "aws_organizations_account" "security" {
  name              = "security"
  email             = "security@example.com"
  close_on_deletion = true
  depends_on        = [aws_organizations_organization.main]
}

resource "aws_organizations_policy" "fence" {
  name = "europe"
  content = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Deny"
      NotAction = ["iam:*", "organizations:*", "sts:*"]
      Resource  = "*"
      Condition = { StringNotEquals = { "aws:RequestedRegion" = "eu-west-3" } }
    }]
  })
  tags       = { Team = "platform" }
  depends_on = [aws_organizations_organization.main]
}

resource "aws_organizations_policy" "tags" {
  name       = "tags"
  type       = "TAG_POLICY"
  content    = jsonencode({ tags = { team = { tag_key = { "@@assign" = "Team" } } } })
  depends_on = [aws_organizations_organization.main]
}

resource "aws_organizations_policy_attachment" "fence" {
  policy_id = aws_organizations_policy.fence.id
  target_id = aws_organizations_organizational_unit.workloads.id
}

resource "aws_organizations_policy_attachment" "tags" {
  policy_id = aws_organizations_policy.tags.id
  target_id = aws_organizations_account.shop.id
}

resource "aws_organizations_delegated_administrator" "security" {
  account_id        = aws_organizations_account.security.id
  service_principal = "guardduty.amazonaws.com"
  depends_on        = [aws_organizations_organization.main]
}

resource "aws_organizations_resource_policy" "main" {
  content = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Look"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${aws_organizations_account.security.id}:root" }
      Action    = ["organizations:DescribePolicy", "organizations:ListPolicies"]
      Resource  = "*"
    }]
  })
}

resource "aws_account_alternate_contact" "security" {
  account_id             = aws_organizations_account.shop.id
  alternate_contact_type = "SECURITY"
  name                   = "Ann"
  title                  = "CISO"
  email_address          = "ann@example.com"
  phone_number           = "+33102030405"
  depends_on             = [aws_organizations_organization.main]
}

resource "aws_account_region" "milan" {
  region_name = "eu-south-1"
  enabled     = true
}

data "aws_organizations_organization" "seen" {
  depends_on = [aws_organizations_organization.main]
}

output "organization" {
  value = data.aws_organizations_organization.seen.id
}

output "shop" {
  value = aws_organizations_account.shop.id
}
