"""Where records and files are kept, and for how long."""

from collections.abc import Iterable

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.grants import accept, allow

_STRING, _NUMBER = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER
# The sweeper deletes files 7 days after an export has ended; this is for what a broken sweeper leaves. S3 counts from
# the day a file was written, and an export can be redriven or mailed again as long as its record is there (30 days).
_KEEP = Duration.days(38)
_KEEP_LOGS = Duration.days(90)
_OLDEST_SIGNATURE_MS = 120_000  # signed URLs are good for 60 seconds; the rest is for clocks that differ


class Storage(Construct):
    """The table of records, the bucket of files, and the bucket of access logs."""

    def __init__(self, scope: Construct, name: str, *, key: kms.IKey) -> None:
        """Make them, encrypted with the key; nothing here is deleted with the stack."""
        super().__init__(scope, name)
        self.table = self._table(key)
        self.access_logs = self._access_logs()
        self.bucket = self._bucket(key)

    def allow_records(self, role: iam.Role, actions: Iterable[str], *indexes: str) -> None:
        """Allow these actions on the table, and to query these indexes."""
        allow(role, actions, self.table.table_arn)
        if indexes:
            allow(role, ["dynamodb:Query"], *(f"{self.table.table_arn}/index/{index}" for index in indexes))

    def allow_walk(self, role: iam.Role, index: str) -> None:
        """Allow to read all keys of this index."""
        allow(role, ["dynamodb:Scan"], f"{self.table.table_arn}/index/{index}")

    def allow_files(self, role: iam.Role, folder: str, actions: Iterable[str]) -> None:
        """Allow these actions on the files of one folder.

        With ListBucket S3 answers 404 for a file that is not there, without it 403, which would look like a fault.
        """
        allow(role, actions, self.bucket.arn_for_objects(f"{folder}/*"))
        allow(role, ["s3:ListBucket"], self.bucket.bucket_arn)
        accept(
            role,
            f"The keys of the files are made of export ids, so only the folder {folder}/ can be named beforehand.",
            f"AwsSolutions-IAM5[Resource::<{self._logical_id()}.Arn>/{folder}/*]",
        )

    def _logical_id(self) -> str:
        return str(self.bucket.stack.get_logical_id(self.bucket.node.default_child))  # type: ignore[arg-type]

    def _table(self, key: kms.IKey) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            "Exports",
            partition_key=dynamodb.Attribute(name="pk", type=_STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="expiresAt",
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        table.add_global_secondary_index(
            index_name="by-user",
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
            partition_key=dynamodb.Attribute(name="userId", type=_STRING),
            sort_key=dynamodb.Attribute(name="requestedAt", type=_STRING),
        )
        table.add_global_secondary_index(
            index_name="by-wake",
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
            partition_key=dynamodb.Attribute(name="wakePartition", type=_STRING),
            sort_key=dynamodb.Attribute(name="wakeAt", type=_NUMBER),
        )
        table.add_global_secondary_index(
            index_name="by-address",
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
            partition_key=dynamodb.Attribute(name="addressHash", type=_STRING),
            sort_key=dynamodb.Attribute(name="requestedAt", type=_STRING),
        )
        return table

    def _access_logs(self) -> s3.Bucket:
        return s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,  # load balancers cannot write logs under a customer's key
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=_KEEP_LOGS)],
            # Load balancers write a test file as soon as they know the bucket, and a bucket with a file in it cannot be
            # deleted: a first deployment that failed could not be rolled back.
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _bucket(self, key: kms.IKey) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Files",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            server_access_logs_bucket=self.access_logs,
            server_access_logs_prefix="files/",
            lifecycle_rules=[
                *(s3.LifecycleRule(prefix=f"{folder}/", expiration=_KEEP) for folder in ("parts", "csv")),
                s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1)),
            ],
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        bucket.add_to_resource_policy(_no_old_links(bucket))
        return bucket


def _no_old_links(bucket: s3.Bucket) -> iam.PolicyStatement:
    """Refuse a signed URL that was made for longer than ours are, whoever made it."""
    return iam.PolicyStatement(
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=["s3:GetObject"],
        resources=[bucket.arn_for_objects("*")],
        conditions={
            "StringEquals": {"s3:authType": "REST-QUERY-STRING"},
            "NumericGreaterThan": {"s3:signatureAge": _OLDEST_SIGNATURE_MS},
        },
    )
