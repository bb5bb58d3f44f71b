"""The store of files in one bucket of S3, with limits on how long and how often it tries."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from obstore.store import S3Store

from memberships_export.version import USER_AGENT

if TYPE_CHECKING:
    from obstore.store import S3Config

_CONNECT_SECONDS = 2
_RETRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSettings:
    """The bucket of the files. `encryption` None: as the bucket says, which then also names the key."""

    name: str
    region: str
    encryption: Literal["AES256", "aws:kms"] | None = None
    kms_key_id: str | None = None


def s3_store(bucket: BucketSettings) -> S3Store:
    """Return the store of the bucket, which encrypts as `bucket` says."""
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
            "user_agent": USER_AGENT,
            # A proxy for nobody: without one, it would look for one in the environment.
            "proxy_url": "http://127.0.0.1:9",
            "proxy_excludes": "*,0.0.0.0/0,::/0",
            "allow_http": True,  # S3's own address is https; only one that AWS_ENDPOINT_URL names can be without TLS
        },
        retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=60)},
    )
