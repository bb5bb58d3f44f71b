"""What a cold function loads, and makes, until it has handled its first message."""

import subprocess
import sys

# The last three come with the first file and the first mail that need them. Of botocore only the errors are needed.
UNNEEDED = {
    "botocore.auth",
    "botocore.client",
    "botocore.session",
    "email.headerregistry",
    "fastapi",
    "jinja2",
    "smtplib",
    "sqlite3",
    "babel",
    "gettext",
    "zoneinfo",
}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_SECRET_ACCESS_KEY": "key",
    "MEMBERSHIPS_EXPORT_AUDIT_SECRET": "audit-secret-of-32-bytes-or-longer",
    "MEMBERSHIPS_EXPORT_BACKEND": "aws",
    "MEMBERSHIPS_EXPORT_BUCKET": "bucket",
    "MEMBERSHIPS_EXPORT_LINK_SECRET": "link-secret-of-32-bytes-or-longer",
    "MEMBERSHIPS_EXPORT_MAILER": "sendgrid",
    "MEMBERSHIPS_EXPORT_MAIL_FROM": "exports@example.org",
    "MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL": "https://api.example.org",
    "MEMBERSHIPS_EXPORT_PUBLIC_URL": "https://exports.example.org",
    "MEMBERSHIPS_EXPORT_QUEUE_URL": "https://sqs.example.org/1/membership_exports",
    "MEMBERSHIPS_EXPORT_SENDGRID_API_KEY": "SG.key",
    "MEMBERSHIPS_EXPORT_SERVICE_SECRET": "service-secret-of-32-bytes-or-longer",
    "MEMBERSHIPS_EXPORT_TABLE": "table",
}
# The table holds one export, which is finished, whatever is asked.
FIRST_MESSAGE = f"""
import sys
from datetime import UTC, datetime
from memberships_export.adapters.aws.dynamodb_state import DynamoDbServiceState
from memberships_export.adapters.aws.dynamodb_store import DynamoDbExportStore
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.messages.wake import wake_message
from memberships_export.entrypoints.aws_lambda import export

now = datetime(2026, 3, 1, tzinfo=UTC)
finished = Export(
    export_id="3f0c4a51-6f0a-4f3e-9a52-0d6f7c1f8a11", user_id="u", email="a@example.org", requested_at=now, wake_at=now,
    status=ExportStatus.COMPLETED,
)
DynamoDbExportStore.get = lambda self, export_id: finished
DynamoDbServiceState.paused = lambda self: None
message = wake_message(finished)
record = {{
    "messageId": "1", "body": message.body, "receiptHandle": "r", "attributes": {{"ApproximateReceiveCount": "1"}},
    "messageAttributes": {{name: {{"stringValue": value}} for name, value in message.attributes.items()}},
}}
class Context:
    def get_remaining_time_in_millis(self): return 900_000
print(export.handler({{"Records": [record]}}, Context()), sorted({UNNEEDED} & set(sys.modules)))
"""


def test_until_its_first_message_is_handled_a_function_loads_no_languages_and_no_client_of_botocore() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_MESSAGE], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )

    assert (done.stdout.strip(), done.returncode) == ("{'batchItemFailures': []} []", 0), done.stderr
