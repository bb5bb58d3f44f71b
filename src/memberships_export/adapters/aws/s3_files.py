"""FileStore in S3."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from memberships_export.adapters.aws.aws_errors import advice_for
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.file_key import checked_key
from memberships_export.ports import Download, FileSink

if TYPE_CHECKING:
    from obstore import BytesStream, WritableFile
    from obstore.store import S3Store
    from types_boto3_s3.client import S3Client

_CHUNK = 1024 * 1024
_PART = 5 * 1024 * 1024  # of a multipart upload, S3's smallest; a file up to this size is one call
_UPLOADS_AT_ONCE = 4  # times _PART: the memory that a file being written may take
_LONGEST_LINK = 60  # seconds
_NO_BUCKET = "NoSuchBucket"
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_NO_ANSWER = "If it lasts, check the credentials, the region, and the subnet's route or VPC endpoint to S3."


class S3Files:
    """FileStore on AWS, in one bucket.

    The last small file written under each top folder (one page, one CSV) stays in memory: who renders or mails what it
    has just written does not ask S3 for it again. Safe because a key never gets other content: parts are written once,
    and the key of a CSV carries the fencing token.

    A writer that is killed leaves an unfinished upload, which is no file but takes space: the bucket needs a lifecycle
    rule that aborts those.
    """

    def __init__(self, store: "S3Store", bucket: str, signer: "Callable[[], S3Client]") -> None:
        """`signer`: makes the client that signs URLs, when the first is asked for; a worker never needs one.

        It is boto3's: obstore cannot sign the header that makes a browser save the file under its name.
        """
        self._store = store
        self._bucket = bucket
        self._make_signer = signer
        self._signer: S3Client | None = None
        self._written: dict[str, tuple[str, bytes]] = {}  # top folder -> key and content

    def put_once(self, key: str, content: bytes) -> bool:
        """Store under a key that is not taken: S3 checks that (If-None-Match)."""
        with self._errors(checked_key(key)):
            try:
                obstore.put(self._store, key, content, mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
        self._remember(key, content)
        return True

    def read(self, key: str) -> bytes | None:
        """Read a whole file, None when there is none."""
        known_key, content = self._written.get(_folder(checked_key(key)), ("", b""))
        if known_key == key:
            return content
        with self._errors(key):
            try:
                return bytes(obstore.get(self._store, key).bytes())
            except FileNotFoundError as error:
                _check_bucket(error)
                return None

    def stream(self, key: str) -> Iterator[bytes] | None:
        """Read a file in chunks of about 1 MiB, None when there is none."""
        with self._errors(checked_key(key)):
            try:
                chunks = obstore.get(self._store, key).stream(min_chunk_size=_CHUNK)
            except FileNotFoundError as error:
                _check_bucket(error)
                return None
        return self._passed_on(key, chunks)

    @contextmanager
    def writing(self, key: str) -> Iterator[FileSink]:
        """Write a file in chunks; it appears whole when the block ends well, and not at all when it does not."""
        with self._errors(checked_key(key)):
            file = obstore.open_writer(self._store, key, buffer_size=_PART, max_concurrency=_UPLOADS_AT_ONCE)
        sink = _Sink(file, lambda: self._errors(key))
        try:
            yield sink
            with self._errors(key):
                file.close()
        except BaseException as error:
            # An upload that cannot be aborted either is left to the lifecycle rule: the first error is what counts.
            with suppress(StorageUnavailable), self._errors(key):
                file.__exit__(type(error), error, error.__traceback__)
            raise
        self._remember(key, sink.small())

    def delete_folder(self, prefix: str) -> None:
        """Delete every file under the prefix, a thousand with each call."""
        self._written.pop(_folder(checked_key(prefix)), None)
        with self._errors(prefix):
            for batch in obstore.list(self._store, prefix):
                obstore.delete(self._store, [found["path"] for found in batch])

    def signed_url(self, key: str, download: Download, seconds: int) -> str | None:
        """Make a URL that gives the file as a download for at most 60 seconds."""
        self._signer = self._signer or self._make_signer()
        wanted = {
            "Bucket": self._bucket,
            "Key": checked_key(key),
            "ResponseContentDisposition": f'attachment; filename="{download.filename}"',
            "ResponseContentType": download.content_type,
        }
        return self._signer.generate_presigned_url("get_object", Params=wanted, ExpiresIn=min(seconds, _LONGEST_LINK))

    def _remember(self, key: str, content: bytes | None) -> None:
        if content is not None and len(content) <= _PART:
            self._written[_folder(key)] = (key, content)

    def _passed_on(self, key: str, chunks: "BytesStream") -> Iterator[bytes]:
        with self._errors(key):
            for chunk in chunks:
                yield bytes(chunk)

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        """Turn what can happen to S3 into StorageUnavailable that names the file and the fix."""
        try:
            yield
        except (BaseError, OSError) as error:  # which of the two depends on the call
            raise _unavailable(f"File {key} in S3 bucket {self._bucket}", error) from error


class _Sink:
    """Passes chunks on, and keeps them too as long as they are few."""

    def __init__(self, file: "WritableFile", errors: Callable[[], AbstractContextManager[None]]) -> None:
        self._file = file
        self._errors = errors
        self._kept: list[bytes] | None = []
        self._size = 0

    def write(self, chunk: bytes) -> None:
        with self._errors():
            self._file.write(chunk)
        self._size += len(chunk)
        if self._size > _PART:
            self._kept = None
        elif self._kept is not None:
            self._kept.append(bytes(chunk))

    def small(self) -> bytes | None:
        return None if self._kept is None else b"".join(self._kept)


def _folder(key: str) -> str:
    return key.split("/", maxsplit=1)[0]


def _check_bucket(error: FileNotFoundError) -> None:
    """Pass over a file that is not there; a bucket that is not there is trouble."""
    if _NO_BUCKET in str(error):
        raise error


def _unavailable(resource: str, error: Exception) -> StorageUnavailable:
    """Say what S3 said, without the address and the body that the library quotes."""
    text = str(error)
    status = _STATUS.search(text)
    code = _CODE.search(text)
    said = " ".join(found[1] for found in (status, code) if found) or type(error).__name__
    advice = advice_for(code[1] if code else "", status=int(status[1]) if status else 0) or _NO_ANSWER
    return StorageUnavailable(f"{resource} cannot be used ({said}). {advice}")
