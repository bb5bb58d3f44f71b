"""The network: two zones, private subnets for what works, one way out."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct


class Network(Construct):
    """A VPC with one NAT gateway, and the security group of what may call the memberships API.

    One NAT gateway, not two: while its zone is down nothing is lost. Records are written through the endpoint of
    DynamoDB, which needs no NAT, and the exports go on afterwards. Endpoints for other services would cost more
    per month than the traffic they keep off the NAT gateway.
    """

    def __init__(self, scope: Construct, name: str, *, cidr: str) -> None:
        """Make them, with these addresses, a quarter of them for each subnet. Rejected traffic is logged."""
        super().__init__(scope, name)
        rejected = logs.LogGroup(
            self, "Rejected", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
        )
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(cidr),
            max_azs=2,
            nat_gateways=1,
            restrict_default_security_group=False,  # would need a function of the CDK; nothing uses the default group
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDb": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
            },
            flow_logs={
                "Rejected": ec2.FlowLogOptions(
                    destination=ec2.FlowLogDestination.to_cloud_watch_logs(rejected),
                    traffic_type=ec2.FlowLogTrafficType.REJECT,
                )
            },
        )
        self.memberships_client = ec2.SecurityGroup(
            self, "MembershipsClient", vpc=self.vpc, description="The function that calls the memberships API"
        )
