# Networks that meet at a transit gateway, their flows in a log, and a metric of what was refused.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "days" {
  type    = number
  default = 7
}

locals {
  networks = { app = "10.1.0.0/16", shared = "10.2.0.0/16" }
}

data "aws_caller_identity" "me" {}

resource "aws_ec2_transit_gateway" "hub" {
  description                     = "hub"
  default_route_table_association = "disable"
  default_route_table_propagation = "disable"
  tags                            = { Name = "hub" }
}

resource "aws_vpc" "each" {
  for_each   = local.networks
  cidr_block = each.value
}

resource "aws_subnet" "each" {
  for_each   = local.networks
  vpc_id     = aws_vpc.each[each.key].id
  cidr_block = cidrsubnet(each.value, 8, 1)
}

resource "aws_ec2_transit_gateway_vpc_attachment" "each" {
  for_each           = local.networks
  transit_gateway_id = aws_ec2_transit_gateway.hub.id
  vpc_id             = aws_vpc.each[each.key].id
  subnet_ids         = [aws_subnet.each[each.key].id]
  tags               = { Name = each.key }

  transit_gateway_default_route_table_association = false
  transit_gateway_default_route_table_propagation = false
}

resource "aws_ec2_transit_gateway_route_table" "each" {
  for_each           = local.networks
  transit_gateway_id = aws_ec2_transit_gateway.hub.id
  tags               = { Name = each.key }
}

resource "aws_ec2_transit_gateway_route_table_association" "each" {
  for_each                       = local.networks
  transit_gateway_attachment_id  = aws_ec2_transit_gateway_vpc_attachment.each[each.key].id
  transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.each[each.key].id
}

resource "aws_ec2_transit_gateway_route_table_propagation" "to_shared" {
  transit_gateway_attachment_id  = aws_ec2_transit_gateway_vpc_attachment.each["app"].id
  transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.each["shared"].id
}

resource "aws_ec2_transit_gateway_route" "to_shared" {
  destination_cidr_block         = local.networks.shared
  transit_gateway_attachment_id  = aws_ec2_transit_gateway_vpc_attachment.each["shared"].id
  transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.each["app"].id
}

resource "aws_ec2_transit_gateway_route" "hole" {
  destination_cidr_block         = "10.0.0.0/8"
  blackhole                      = true
  transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.each["app"].id
}

resource "aws_route" "each" {
  for_each               = local.networks
  route_table_id         = aws_vpc.each[each.key].main_route_table_id
  destination_cidr_block = "10.0.0.0/8"
  transit_gateway_id     = aws_ec2_transit_gateway.hub.id
  depends_on             = [aws_ec2_transit_gateway_vpc_attachment.each]
}

data "aws_ec2_transit_gateway" "found" {
  filter {
    name   = "transit-gateway-id"
    values = [aws_ec2_transit_gateway.hub.id]
  }
}

resource "aws_cloudwatch_log_group" "flows" {
  name              = "/network/flows"
  retention_in_days = var.days
  tags              = { Team = "network" }
}

resource "aws_cloudwatch_log_stream" "notes" {
  name           = "notes"
  log_group_name = aws_cloudwatch_log_group.flows.name
}

resource "aws_cloudwatch_log_metric_filter" "refused" {
  name           = "refused"
  log_group_name = aws_cloudwatch_log_group.flows.name
  pattern        = "[..., action = REJECT, status]"

  metric_transformation {
    name          = "Refused"
    namespace     = "Network"
    value         = "1"
    default_value = "0"
  }
}

data "aws_iam_policy_document" "delivers" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.flows.arn}:*"]
  }
}

data "aws_iam_policy_document" "other" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.flows.arn}:*"]
    principals {
      type        = "Service"
      identifiers = ["delivery.logs.amazonaws.com"]
    }
  }
}

resource "aws_cloudwatch_log_resource_policy" "delivery" {
  policy_name     = "delivery"
  policy_document = data.aws_iam_policy_document.other.json
}

resource "aws_iam_role" "flows" {
  name = "flows"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.me.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "flows" {
  role   = aws_iam_role.flows.id
  policy = data.aws_iam_policy_document.delivers.json
}

resource "aws_flow_log" "app" {
  vpc_id                   = aws_vpc.each["app"].id
  traffic_type             = "ALL"
  iam_role_arn             = aws_iam_role.flows.arn
  log_destination          = aws_cloudwatch_log_group.flows.arn
  max_aggregation_interval = 60
  tags                     = { Name = "app" }
}

output "table" {
  value = aws_ec2_transit_gateway_route_table.each["app"].id
}

output "asn" {
  value = data.aws_ec2_transit_gateway.found.amazon_side_asn
}
