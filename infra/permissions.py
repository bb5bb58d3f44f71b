"""Who may do what. Nobody may do anything that is not written here or, for its own log and queue, in functions.py."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from infra.grants import allow_key
from infra.queues import WorkerQueue
from infra.secrets import Secrets
from infra.storage import Storage

_ONE_RECORD = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem")  # the last: of the guard beside it
_LISTS = ("dynamodb:BatchGetItem",)
_GET, _PUT, _DELETE = ("s3:GetObject",), ("s3:PutObject", "s3:AbortMultipartUpload"), ("s3:DeleteObject",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """Gives the roles their permissions on the parts."""

    storage: Storage
    secrets: Secrets
    queues: Sequence[WorkerQueue]
    key: kms.IKey

    def worker(self, role: iam.Role, stages: Sequence[str]) -> None:
        """Allow what the stages need. Receiving comes with the event source mapping of the function."""
        by_stage = {"fetch": self._fetch, "render": self._render, "deliver": self._deliver}
        self.storage.allow_records(role, _ONE_RECORD)
        for stage in stages:
            by_stage[stage](role)

    def _fetch(self, role: iam.Role) -> None:
        self.storage.allow_files(role, "parts", (*_GET, *_PUT))
        self.secrets.allow_service(role)  # signs the token for the memberships API
        self.secrets.allow_profiles(role)  # what an API of others wants instead

    def _render(self, role: iam.Role) -> None:
        self.storage.allow_files(role, "parts", _GET)
        self.storage.allow_files(role, "csv", _PUT)

    def _deliver(self, role: iam.Role) -> None:
        self.storage.allow_files(role, "csv", _GET)
        self.secrets.allow_mail(role)
        self.secrets.allow_links(role)

    def sweeper(self, role: iam.Role) -> None:
        """Allow to find what is due, and to delete what expired."""
        self.storage.allow_records(role, (*_ONE_RECORD, *_LISTS), "by-wake")
        self.storage.allow_files(role, "parts", _DELETE)
        self.storage.allow_files(role, "csv", _DELETE)
        self.queues[0].allow_bury(role)
        for queue in self.queues:
            queue.allow_count(role)  # a long queue explains why an export stands still

    def api(self, role: iam.Role, *, bundled: bool) -> None:
        """Allow to keep records, to list a user's and those that wait, and to hand out files.

        `bundled`: it serves memberships too.
        """
        self.storage.allow_records(role, (*_ONE_RECORD, *_LISTS), "by-user", "by-wake")
        self.storage.allow_files(role, "parts", _DELETE)  # members erase their exports
        self.storage.allow_files(role, "csv", (*_GET, *_DELETE))
        self.secrets.allow_links(role)
        self.secrets.allow_audit(role)
        if bundled:
            self.secrets.allow_service(role)  # checks the worker's token

    def operator(self, role: iam.Role) -> None:
        """Allow a person to look at all records and letters, to redrive, to clear, to erase; not to read files.

        Of the secrets only the one by which the entries of a member are found in the audit log.
        """
        self.storage.allow_records(role, (*_ONE_RECORD, *_LISTS), "by-user", "by-wake", "by-address")
        self.storage.allow_walk(role, "by-address")  # all exports, newest first: the index holds keys only
        self.secrets.allow_audit(role)
        self.storage.allow_files(role, "parts", _DELETE)
        self.storage.allow_files(role, "csv", _DELETE)
        for queue in self.queues:
            queue.allow_desk(role)

    def send(self, workers: Sequence[iam.Role], others: Sequence[iam.Role]) -> None:
        """Allow these and nobody else to send; and all of them to use the key.

        Workers send to the queues of all stages: a message may come twice and find its export two stages further, and
        a file that is gone takes an export back a stage.
        """
        senders = [*workers, *others]
        for queue, own in zip(self.queues, workers, strict=True):
            queue.allow_send(*senders)
            queue.refuse_other_senders(senders)
            queue.allow_bury(own)
        for role in senders:
            allow_key(role, self.key)
