from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3
from obstore.store import S3Store

from memberships_export.adapters.aws import connections
from memberships_export.adapters.aws.s3_files import S3Files
from memberships_export.adapters.aws.s3_store import BucketSettings, s3_store
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.ports import Download, FileSink
from rig.aws.fake_aws import REGION, FakeAws
from rig.loopback import LoopbackHandler, LoopbackServer
from rig.waiting import PATIENCE_SECONDS

MIB = 1024 * 1024
KEY = "csv/3f2a/1.csv"
XML = "<?xml version='1.0'?><Error><Code>{}</Code><Message>secret detail</Message></Error>"


@pytest.fixture
def bucket(aws: FakeAws) -> BucketSettings:
    return aws.new_bucket()


@pytest.fixture
def files(aws: FakeAws, bucket: BucketSettings) -> S3Files:
    return aws.files(bucket)


def calls_of(aws: FakeAws, work: Callable[[], object]) -> list[str]:
    before = len(aws.calls)
    work()
    return aws.calls[before:]


def write(files: S3Files, key: str, *chunks: bytes) -> None:
    with files.writing(key) as sink:
        for chunk in chunks:
            sink.write(chunk)


# --- calls and memory ------------------------------------------------------------------------------------------------


def test_a_page_that_this_worker_just_stored_is_not_asked_for_again(aws: FakeAws, files: S3Files) -> None:
    files.put_once("parts/1/a.json", b"page")

    assert calls_of(aws, lambda: files.read("parts/1/a.json")) == []
    assert files.read("parts/1/a.json") == b"page"


def test_a_small_csv_is_one_call_to_write_and_none_to_read(aws: FakeAws, files: S3Files) -> None:
    assert calls_of(aws, lambda: write(files, KEY, b"a", b"b")) == ["S3 PUT"]
    assert calls_of(aws, lambda: files.read(KEY)) == []
    assert files.read(KEY) == b"ab"


def test_one_file_of_each_kind_is_kept_and_no_more(aws: FakeAws, files: S3Files) -> None:
    files.put_once("parts/1/a.json", b"a")
    files.put_once("parts/1/b.json", b"b")
    write(files, KEY, b"c")

    assert calls_of(aws, lambda: files.read("parts/1/b.json")) == []
    assert calls_of(aws, lambda: files.read(KEY)) == []
    assert calls_of(aws, lambda: files.read("parts/1/a.json")) == ["S3 GET"]


def test_a_large_file_is_not_kept(aws: FakeAws, files: S3Files) -> None:
    content = bytes(5 * MIB) + b"x"
    files.put_once("parts/1/a.json", content)
    write(files, KEY, content[:MIB], content[MIB:])

    assert calls_of(aws, lambda: files.read("parts/1/a.json")) == ["S3 GET"]
    assert calls_of(aws, lambda: files.read(KEY)) == ["S3 GET"]
    assert files.read(KEY) == content


def test_what_another_worker_stored_first_is_what_is_read(aws: FakeAws, bucket: BucketSettings) -> None:
    ours, others = aws.files(bucket), aws.files(bucket)
    others.put_once("parts/1/a.json", b"theirs")

    assert ours.put_once("parts/1/a.json", b"ours") is False
    assert ours.read("parts/1/a.json") == b"theirs"


def test_a_deleted_file_is_not_kept(files: S3Files) -> None:
    files.put_once("parts/1/a.json", b"a")
    files.delete_folder("parts/1")

    assert files.read("parts/1/a.json") is None


def test_a_file_that_was_aborted_is_not_kept(files: S3Files) -> None:
    with pytest.raises(KeyError), files.writing(KEY) as sink:
        die_after(sink, b"half")

    assert files.read(KEY) is None


def test_a_folder_is_deleted_with_one_list_and_one_call_for_all(aws: FakeAws, files: S3Files) -> None:
    for number in range(5):
        files.put_once(f"parts/1/{number}.json", b"x")

    assert calls_of(aws, lambda: files.delete_folder("parts/1")) == ["S3 List", "S3 DeleteObjects"]
    assert calls_of(aws, lambda: files.delete_folder("parts/1")) == ["S3 List"]


# --- large files -----------------------------------------------------------------------------------------------------


def test_a_large_file_is_uploaded_in_parts_and_read_whole(aws: FakeAws, files: S3Files, bucket: BucketSettings) -> None:
    chunks = [bytes([number]) * MIB for number in range(12)]

    calls = calls_of(aws, lambda: write(files, KEY, *chunks))

    assert calls[0] == "S3 CreateMultipartUpload"
    assert aws.files(bucket).read(KEY) == b"".join(chunks)


@pytest.mark.parametrize("mebibytes", [0, 1, 5, 6, 12, 30])
def test_an_aborted_file_leaves_neither_a_file_nor_an_unfinished_upload(
    aws: FakeAws, files: S3Files, bucket: BucketSettings, mebibytes: int
) -> None:
    with pytest.raises(KeyError), files.writing(KEY) as sink:
        die_after(sink, *[bytes(MIB)] * mebibytes)

    assert "Contents" not in aws.s3.list_objects_v2(Bucket=bucket.name)
    assert "Uploads" not in aws.s3.list_multipart_uploads(Bucket=bucket.name)


def die_after(sink: FileSink, *chunks: bytes) -> None:
    for chunk in chunks:
        sink.write(chunk)
    raise KeyError


# --- settings and links ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encryption, key", [("AES256", None), ("aws:kms", None), ("aws:kms", "alias/exports")])
def test_files_are_encrypted_as_set(aws: FakeAws, bucket: BucketSettings, encryption: Any, key: str | None) -> None:  # noqa: ANN401
    settings = BucketSettings(name=bucket.name, region=REGION, encryption=encryption, kms_key_id=key)
    files = aws.files(settings)
    files.put_once("parts/1/a.json", b"x")
    write(files, KEY, *[bytes(MIB)] * 7)

    for stored in ("parts/1/a.json", KEY):
        head = aws.s3.head_object(Bucket=bucket.name, Key=stored)
        assert head["ServerSideEncryption"] == encryption
        assert key is None or head["SSEKMSKeyId"] == key


def test_a_signed_url_gives_the_file_as_a_download(files: S3Files) -> None:
    files.put_once(KEY, b"id\r\n")

    url = files.signed_url(KEY, Download("memberships-2026-03-01.csv", "text/csv; charset=utf-8"), 60)

    assert url is not None
    answer = urllib3.request("GET", url, retries=False, timeout=PATIENCE_SECONDS)
    assert answer.data == b"id\r\n"
    assert answer.headers["content-disposition"] == 'attachment; filename="memberships-2026-03-01.csv"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize("asked, given", [(30, "30"), (60, "60"), (3600, "60")])
def test_a_signed_url_works_for_a_minute_at_most(files: S3Files, asked: int, given: str) -> None:
    url = files.signed_url(KEY, Download("m.csv", "text/csv; charset=utf-8"), asked)

    query = parse_qs(urlsplit(str(url)).query)
    assert query["X-Amz-Expires"] == [given]
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]


def test_signing_calls_nobody(aws: FakeAws, files: S3Files) -> None:
    assert calls_of(aws, lambda: files.signed_url(KEY, Download("m.csv", "text/csv; charset=utf-8"), 60)) == []


# --- trouble ---------------------------------------------------------------------------------------------------------


class Script(LoopbackHandler):
    """Answers every request as the test says; status 0 hangs up."""

    answer: tuple[int, str] = (200, "")

    def answered(self) -> None:
        status, body = self.answer
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.close_connection = True
        if status:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body.encode())

    do_GET = do_PUT = do_POST = do_DELETE = answered  # noqa: N815  (names of http.server)


class Broken:
    """S3 as the test needs it."""

    def __init__(self, port: int, script: type[Script]) -> None:
        self._script = script
        store = S3Store(
            "exports",
            endpoint=f"http://127.0.0.1:{port}",
            region=REGION,
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )
        self.files = S3Files(store, "exports", lambda: connections.Clients().s3_signer)

    def answers(self, status: int, code: str = "") -> None:
        self._script.answer = (status, XML.format(code))


@pytest.fixture
def broken() -> Iterator[Broken]:
    script = type("ThisScript", (Script,), {})
    with LoopbackServer(script) as server:
        yield Broken(server.server_port, script)


def every_call(files: S3Files) -> dict[str, Callable[[], object]]:
    return {
        "put_once": partial(files.put_once, KEY, b"x"),
        "read": partial(files.read, KEY),
        "stream": partial(files.stream, KEY),
        "writing": partial(write, files, KEY, b"x"),
        "writing in parts": partial(write, files, KEY, *[bytes(MIB)] * 12),
        "delete_folder": partial(files.delete_folder, "csv/3f2a"),
    }


@pytest.mark.parametrize(
    "status, code, advice",
    [
        (500, "InternalError", "Health Dashboard"),
        (503, "SlowDown", "Health Dashboard"),
        (403, "AccessDenied", "configuration"),
        (404, "NoSuchBucket", "configuration"),
        (400, "InvalidRequest", "If it lasts"),
        (0, "", "If it lasts"),
    ],
)
def test_trouble_names_the_file_the_bucket_and_the_fix(broken: Broken, status: int, code: str, advice: str) -> None:
    broken.answers(status, code)

    for name, call in every_call(broken.files).items():
        with pytest.raises(StorageUnavailable, match=r"csv/3f2a\S* in S3 bucket exports cannot be used") as caught:
            call()
        assert advice in caught.value.reason, name
        assert "secret detail" not in caught.value.reason
        assert "127.0.0.1" not in caught.value.reason


def test_a_file_that_is_not_there_is_no_trouble(broken: Broken) -> None:
    broken.answers(404, "NoSuchKey")

    assert broken.files.read(KEY) is None
    assert broken.files.stream(KEY) is None


@pytest.mark.parametrize("status, code", [(412, "PreconditionFailed"), (409, "ConditionalRequestConflict")])
def test_a_key_that_is_taken_or_being_taken_is_not_stored(broken: Broken, status: int, code: str) -> None:
    broken.answers(status, code)

    assert broken.files.put_once(KEY, b"x") is False
    broken.answers(404, "NoSuchKey")
    assert broken.files.read(KEY) is None


def test_the_error_that_ended_a_write_counts_more_than_an_upload_that_could_not_be_aborted(broken: Broken) -> None:
    broken.answers(500, "InternalError")

    with pytest.raises(KeyError), broken.files.writing(KEY) as sink:
        die_after(sink, bytes(MIB))


def test_a_file_that_could_not_be_written_is_not_read_from_memory(broken: Broken) -> None:
    broken.answers(500, "InternalError")
    with pytest.raises(StorageUnavailable):
        write(broken.files, KEY, b"x")
    broken.answers(404, "NoSuchKey")

    assert broken.files.read(KEY) is None


@pytest.mark.parametrize("region", ["eu-central-1", "me-central-1"])
def test_a_signed_url_names_the_bucket_in_its_region_because_the_host_is_signed_too(
    monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    bucket = BucketSettings(name="exports", region=region)
    files = S3Files(s3_store(bucket), "exports", lambda: connections.Clients().s3_signer)

    url = files.signed_url(KEY, Download("memberships.csv", "text/csv; charset=utf-8"), 60)

    assert url is not None
    assert urlsplit(url).netloc == f"exports.s3.{region}.amazonaws.com"
