"""Clients of the AWS services, with limits on how long and how often they try.

Credentials and endpoints come from where AWS's own tools look for them: a role, or the AWS_* variables.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import boto3
from botocore.config import Config
from obstore.store import S3Store

if TYPE_CHECKING:
    from obstore.store import S3Config
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_s3.client import S3Client
    from types_boto3_sqs.client import SQSClient

_CONNECT_SECONDS = 2
_ATTEMPTS = 3
_LONG_POLL_SECONDS = 20  # a receive answers that late when there is nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSettings:
    """The bucket of the files. `encryption` None: as the bucket says, which then also names the key."""

    name: str
    region: str
    encryption: Literal["AES256", "aws:kms"] | None = None
    kms_key_id: str | None = None


def sqs_client(region: str) -> "SQSClient":
    """Connect to SQS, long polls included."""
    return boto3.client("sqs", region_name=region, config=_limits(read_seconds=_LONG_POLL_SECONDS + 5))


def dynamodb_client(region: str) -> "DynamoDBClient":
    """Connect to DynamoDB."""
    return boto3.client("dynamodb", region_name=region, config=_limits(read_seconds=5))


def s3_signer(region: str) -> "S3Client":
    """Make the client that signs download URLs. Signing calls nobody."""
    return boto3.client("s3", region_name=region, config=Config(signature_version="s3v4"))


def s3_store(bucket: BucketSettings) -> S3Store:
    """Connect to the bucket."""
    config: S3Config = {"region": bucket.region}
    if bucket.encryption:
        config["server_side_encryption"] = bucket.encryption
    if bucket.kms_key_id:
        config["sse_kms_key_id"] = bucket.kms_key_id
    return S3Store(
        bucket.name,
        config=config,
        client_options={
            "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
            "timeout": timedelta(seconds=30),
            "allow_http": True,  # S3's own address is https; only one that AWS_ENDPOINT_URL names can be without TLS
        },
        retry_config={"max_retries": _ATTEMPTS - 1, "retry_timeout": timedelta(seconds=60)},
    )


def _limits(*, read_seconds: int) -> Config:
    return Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
    )
