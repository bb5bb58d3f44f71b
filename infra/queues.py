"""The queues: one per function, each with a dead letter queue, encrypted, over TLS only, with named senders."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.grants import allow
from infra.topology import Worker

_MAX_RECEIVES = 5
_VISIBILITY = Duration.minutes(90)  # six times the longest run of a function, as AWS advises
_SEND = ("sqs:SendMessage",)
_MOVE = (
    "sqs:StartMessageMoveTask",
    "sqs:ListMessageMoveTasks",
    "sqs:CancelMessageMoveTask",
    "sqs:ListDeadLetterSourceQueues",  # asked by the console before its button for that
)
_READ = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes")


class WorkerQueue(Construct):
    """The queue that wakes one function, and its dead letter queue."""

    def __init__(self, scope: Construct, *, worker: Worker, key: kms.IKey) -> None:
        """Make both; a message that was received five times without being deleted moves to the dead letter queue."""
        super().__init__(scope, worker.queue)
        self.name = worker.queue
        self.stages = worker.stages
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=f"{worker.queue}_dlq",
            retention_period=Duration.days(14),  # counted from the first send, not from the move
            encryption_master_key=key,
            enforce_ssl=True,
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=worker.queue,
            visibility_timeout=_VISIBILITY,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_MAX_RECEIVES),
            encryption_master_key=key,
            enforce_ssl=True,
        )

    def allow_send(self, *roles: iam.IRole) -> None:
        """Allow to put messages in the queue."""
        for role in roles:
            allow(role, _SEND, self.queue.queue_arn)

    def allow_bury(self, *roles: iam.IRole) -> None:
        """Allow to put messages in the dead letter queue."""
        for role in roles:
            allow(role, _SEND, self.dead_letters.queue_arn)

    def allow_desk(self, role: iam.IRole) -> None:
        """Allow a person to look at dead letters, to let SQS move them back, and to clear them; and to see how many."""
        allow(role, (*_READ, *_MOVE, "sqs:PurgeQueue"), self.dead_letters.queue_arn)
        self.allow_count(role)

    def allow_count(self, role: iam.IRole) -> None:
        """Allow to see how many messages wait."""
        allow(role, ["sqs:GetQueueAttributes"], self.queue.queue_arn)

    def refuse_other_senders(self, senders: Sequence[iam.IRole]) -> None:
        """Refuse messages of anybody else, also of those to whom another policy of the account allows everything."""
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OnlyTheseSend",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=list(_SEND),
                resources=[self.queue.queue_arn],
                conditions={"ArnNotEquals": {"aws:PrincipalArn": [role.role_arn for role in senders]}},
            )
        )
