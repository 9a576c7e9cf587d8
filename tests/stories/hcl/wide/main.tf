# What a project grows into: people and their rights, private networks, fixed interfaces, limits, and look-ups of what
# is already there.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "public_key" {
  type = string
}

variable "port" {
  type    = number
  default = 8000
}

data "aws_region" "here" {}

data "aws_partition" "aws" {}

data "aws_vpc" "default" {
  default = true
}

data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

data "aws_subnet" "first" {
  id = sort(data.aws_subnets.default.ids)[0]
}

data "aws_security_group" "default" {
  vpc_id = data.aws_vpc.default.id
  name   = "default"
}

data "aws_ec2_instance_type" "micro" {
  instance_type = "t3.micro"
}

data "aws_ec2_instance_type_offerings" "micro" {
  location_type = "availability-zone"
  filter {
    name   = "instance-type"
    values = ["t3.micro"]
  }
}

data "aws_servicequotas_service_quota" "vpcs" {
  service_code = "vpc"
  quota_code   = "L-F678F1CE"
}

data "aws_iam_policy" "read_only" {
  name = "ReadOnlyAccess"
}

data "aws_ssm_parameters_by_path" "images" {
  path = "/aws/service/ami-amazon-linux-latest"
}

# -- a network of one's own, with its defaults adopted
resource "aws_vpc" "main" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_hostnames = true
  enable_dns_support   = true
}

resource "aws_vpc_ipv4_cidr_block_association" "more" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.1.0.0/16"
}

resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.main.id
}

resource "aws_default_network_acl" "main" {
  default_network_acl_id = aws_vpc.main.default_network_acl_id
  ingress {
    protocol   = -1
    rule_no    = 100
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }
  egress {
    protocol   = -1
    rule_no    = 100
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }
  lifecycle {
    ignore_changes = [subnet_ids]
  }
}

resource "aws_subnet" "each" {
  for_each   = { a = 1, b = 2 }
  vpc_id     = aws_vpc.main.id
  cidr_block = cidrsubnet(aws_vpc.main.cidr_block, 8, each.value)
  tags       = { Name = "private-${each.key}" }
}

resource "aws_internet_gateway" "door" {
  vpc_id = aws_vpc.main.id
}

resource "aws_route_table" "outwards" {
  vpc_id = aws_vpc.main.id
}

resource "aws_route" "outwards" {
  route_table_id         = aws_route_table.outwards.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.door.id
}

resource "aws_main_route_table_association" "outwards" {
  vpc_id         = aws_vpc.main.id
  route_table_id = aws_route_table.outwards.id
}

resource "aws_network_acl" "guarded" {
  vpc_id     = aws_vpc.main.id
  subnet_ids = [aws_subnet.each["b"].id]
}

resource "aws_network_acl_rule" "in" {
  network_acl_id = aws_network_acl.guarded.id
  rule_number    = 100
  protocol       = "tcp"
  rule_action    = "allow"
  cidr_block     = "10.0.0.0/16"
  from_port      = var.port
  to_port        = var.port
}

resource "aws_network_acl_rule" "out" {
  network_acl_id = aws_network_acl.guarded.id
  egress         = true
  rule_number    = 100
  protocol       = "tcp"
  rule_action    = "allow"
  cidr_block     = "10.0.0.0/16"
  from_port      = 1024
  to_port        = 65535
}

resource "aws_security_group" "app" {
  name_prefix = "app-"
  vpc_id      = aws_vpc.main.id
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "app" {
  security_group_id = aws_security_group.app.id
  description       = "the application"
  cidr_ipv4         = "10.0.0.0/16"
  ip_protocol       = "tcp"
  from_port         = var.port
  to_port           = var.port
  tags              = { Name = "app" }
}

resource "aws_vpc_security_group_ingress_rule" "itself" {
  security_group_id            = aws_security_group.app.id
  referenced_security_group_id = aws_security_group.app.id
  ip_protocol                  = "-1"
}

# -- machines with an interface that stays
resource "aws_key_pair" "devops" {
  key_name_prefix = "devops-"
  public_key      = var.public_key
}

resource "aws_network_interface" "fixed" {
  subnet_id       = aws_subnet.each["a"].id
  private_ips     = ["10.0.1.10"]
  security_groups = [aws_security_group.app.id]
}

resource "aws_instance" "fixed" {
  ami           = data.aws_ami.debian.id
  instance_type = "t3.micro"
  key_name      = aws_key_pair.devops.key_name
  network_interface {
    network_interface_id = aws_network_interface.fixed.id
    device_index         = 0
  }
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  credit_specification {
    cpu_credits = "standard"
  }
}

resource "aws_eip" "fixed" {
  domain = "vpc"
}

resource "aws_eip_association" "fixed" {
  allocation_id        = aws_eip.fixed.id
  network_interface_id = aws_network_interface.fixed.id
  depends_on           = [aws_internet_gateway.door, aws_instance.fixed]
}

resource "aws_instance" "plain" {
  ami                         = data.aws_ami.debian.id
  instance_type               = "t3.nano"
  subnet_id                   = data.aws_subnet.first.id
  vpc_security_group_ids      = [data.aws_security_group.default.id]
  associate_public_ip_address = false
  disable_api_termination     = false
  monitoring                  = true
  volume_tags                 = { Name = "root" }
}

data "aws_ami" "debian" {
  most_recent = true
  owners      = ["136693071363"]
  filter {
    name   = "name"
    values = ["debian-12-amd64-*"]
  }
  filter {
    name   = "virtualization-type"
    values = ["hvm"]
  }
}

data "aws_instances" "running" {
  instance_state_names = ["running"]
  depends_on           = [aws_instance.fixed, aws_instance.plain]
}

# -- people
resource "aws_iam_group" "developers" {
  name = "developers"
  path = "/people/"
}

resource "aws_iam_user" "ann" {
  name = "ann"
  path = "/people/"
  tags = { Team = "web" }
}

resource "aws_iam_user_group_membership" "ann" {
  user   = aws_iam_user.ann.name
  groups = [aws_iam_group.developers.name]
}

resource "aws_iam_access_key" "ann" {
  user = aws_iam_user.ann.name
}

resource "aws_iam_user_login_profile" "ann" {
  user = aws_iam_user.ann.name
}

resource "aws_iam_group_policy_attachment" "developers" {
  group      = aws_iam_group.developers.name
  policy_arn = data.aws_iam_policy.read_only.arn
}

resource "aws_iam_group_policy" "own" {
  name   = "own"
  group  = aws_iam_group.developers.name
  policy = data.aws_iam_policy_document.start.json
}

resource "aws_iam_user_policy" "own" {
  name   = "own"
  user   = aws_iam_user.ann.name
  policy = data.aws_iam_policy_document.start.json
}

resource "aws_iam_policy" "start" {
  name_prefix = "start-"
  policy      = data.aws_iam_policy_document.start.json
}

resource "aws_iam_user_policy_attachment" "start" {
  user       = aws_iam_user.ann.name
  policy_arn = aws_iam_policy.start.arn
}

resource "aws_iam_account_alias" "own" {
  account_alias = "devops-course"
}

resource "aws_iam_account_password_policy" "strict" {
  minimum_password_length        = 14
  require_numbers                = true
  require_symbols                = true
  require_lowercase_characters   = true
  require_uppercase_characters   = true
  allow_users_to_change_password = true
}

data "aws_iam_policy_document" "start" {
  statement {
    actions   = ["ec2:StartInstances", "ec2:StopInstances"]
    resources = [aws_instance.fixed.arn]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [data.aws_region.here.name]
    }
  }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = [aws_iam_user.ann.arn]
    }
  }
}

resource "aws_iam_role" "deploy" {
  name_prefix          = "deploy-"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = "arn:${data.aws_partition.aws.partition}:iam::aws:policy/PowerUserAccess"
  max_session_duration = 7200
}

resource "aws_iam_service_linked_role" "scaling" {
  aws_service_name = "autoscaling.amazonaws.com"
  custom_suffix    = "course"
}

# -- a limit
resource "aws_servicequotas_service_quota" "addresses" {
  service_code = "ec2"
  quota_code   = "L-0263D0A3"
  value        = 8
}

output "vpcs" {
  value = data.aws_servicequotas_service_quota.vpcs.value
}

output "running" {
  value = join(",", sort(data.aws_instances.running.private_ips))
}

output "micro" {
  value = "${data.aws_ec2_instance_type.micro.memory_size} ${length(data.aws_ec2_instance_type_offerings.micro.locations)}"
}

output "images" {
  value = length(data.aws_ssm_parameters_by_path.images.names)
}
