"""boto3, botocore and the programs of the distribution sign, now, and httpd says of each request whose it is.

SPDX-License-Identifier: Apache-2.0
"""
import io
import json
import os
import subprocess
import urllib.request
from urllib.error import HTTPError

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from aws_server import REGION, cloud, fresh_key
from client import Payload

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")

# Keys of objects that a careless verifier would read differently.
NAMES = ["plain.txt", "a b/c+d.txt", "Zoë/日本語 🎉", "per%cent%2Fsign", "~tilde*star'(round)!", "a//b", "dots/./../x",
         "=&?#;"]
BODY = "Zoë\r\nline\n".encode() + bytes(range(256))
LARGE = Payload(12 << 20)


@pytest.fixture(scope="module")
def aws(certificate):
    with cloud(certificate) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_stored_yet(aws):
    aws.store.reset()


def s3(aws, key=None, tls=False, **options):
    key = key or aws.key
    style = {"addressing_style": "path", **options}
    return boto3.client("s3", region_name=REGION, endpoint_url=aws.tls_endpoint if tls else aws.endpoint, verify=False,
                        aws_access_key_id=key.access_key, aws_secret_access_key=key.secret,
                        aws_session_token=key.token,
                        config=Config(s3=style, retries={"max_attempts": 1}, signature_version="s3v4"))


def refused(call, code="SignatureDoesNotMatch", status=403, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status), response
    return response["Error"]["Message"]


# --- boto3 ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", NAMES)
def test_an_object_of_boto3_goes_there_and_back(aws, name):
    client = s3(aws)
    client.put_object(Bucket="box", Key=name, Body=BODY, Metadata={"note": "two  blanks"}, ContentType="text/plain")
    assert client.get_object(Bucket="box", Key=name)["Body"].read() == BODY
    assert client.head_object(Bucket="box", Key=name)["ContentLength"] == len(BODY)
    client.delete_object(Bucket="box", Key=name)
    assert aws.store.objects == {}
    _, _, headers = aws.store.requests[0]
    assert "authorization" not in headers and headers["x-amz-meta-note"] == "two  blanks"


def test_boto3_lists_with_a_prefix(aws):
    client = s3(aws)
    for name in NAMES[:4]:
        client.put_object(Bucket="box", Key=name, Body=b"")
    found = client.list_objects_v2(Bucket="box", Prefix="a b/", Delimiter="/")["Contents"]
    assert [entry["Key"] for entry in found] == ["a b/c+d.txt"]


def test_boto3_uploads_in_parts(aws):
    client = s3(aws)
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    client.upload_fileobj(io.BytesIO(LARGE.data), "box", "large", Config=parts)
    assert aws.store.objects["/box/large"] == LARGE.data
    assert len([None for method, target, _ in aws.store.requests if method == "PUT" and "partNumber=" in target]) == 3
    back = io.BytesIO()
    client.download_fileobj("box", "large", back, Config=parts)
    assert back.getvalue() == LARGE.data


def test_boto3_with_another_secret_or_key_is_refused_in_the_same_words(aws):
    words = {refused(s3(aws, key).put_object, Bucket="box", Key="k", Body=BODY)
             for key in (aws.key.wrong, fresh_key())}
    assert len(words) == 1 and aws.store.requests == []


def test_boto3_needs_exactly_the_token_of_a_temporary_key(aws):
    s3(aws, aws.temporary).put_object(Bucket="temporary", Key="k", Body=BODY)
    assert aws.store.objects == {"/temporary/k": BODY}
    for token in (None, aws.temporary.token[:-1]):
        key = type(aws.key)(aws.temporary.access_key, aws.temporary.secret, token)
        refused(s3(aws, key).get_object, "InvalidToken", 400, Bucket="temporary", Key="k")


@pytest.mark.parametrize("bucket", ["box", "strict"])
def test_an_unsigned_payload_needs_its_option(aws, bucket):
    client = s3(aws, tls=True, payload_signing_enabled=False)
    if bucket == "box":
        client.put_object(Bucket=bucket, Key="k", Body=BODY)
        assert aws.store.objects == {"/box/k": BODY}
    else:
        refused(client.put_object, "InvalidRequest", 400, Bucket=bucket, Key="k", Body=BODY)
        assert aws.store.objects == {}


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_a_checksum_in_the_trailer_of_boto3_is_verified_and_the_chunks_are_gone(aws, algorithm):
    s3(aws, tls=True).put_object(Bucket="box", Key="k", Body=io.BytesIO(LARGE.data), ChecksumAlgorithm=algorithm)
    assert aws.store.objects == {"/box/k": LARGE.data}
    _, _, headers = aws.store.requests[0]
    assert "aws-chunked" not in headers.get("content-encoding", "")
    assert headers["content-length"] == str(LARGE.size) and "transfer-encoding" not in headers


def fetch(url, method="GET", body=None):
    """(status, body) of a request without a client of AWS."""
    request = urllib.request.Request(url, body, method=method)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def test_urls_that_boto3_presigned_do_what_they_were_made_for_and_nothing_else(aws):
    client = s3(aws)
    put = client.generate_presigned_url("put_object", {"Bucket": "box", "Key": "a b"}, ExpiresIn=60)
    get = client.generate_presigned_url("get_object", {"Bucket": "box", "Key": "a b"}, ExpiresIn=60)
    assert fetch(put, "PUT", BODY)[0] == 200 and fetch(get) == (200, BODY)
    assert not [target for _, target, _ in aws.store.requests if "X-Amz-Signature" in target]
    for url, method in ((get, "DELETE"), (get.replace("a%20b", "a%20c"), "GET"), (get + "&versionId=1", "GET")):
        assert fetch(url, method)[0] == 403
    assert list(aws.store.objects) == ["/box/a b"]


# --- botocore, as signer of an API ------------------------------------------------------------------------------------

def api_request(aws, key, body=None, target="/prod/pets/a b?page=2&page=1&filter=a%20b", auth=SigV4Auth):
    url = aws.endpoint + target.replace(" ", "%20")
    request = AWSRequest("POST" if body else "GET", url, data=body, headers={"Content-Type": "application/json"})
    auth(Credentials(key.access_key, key.secret), "execute-api", REGION).add_auth(request)
    prepared = request.prepare()
    sent = urllib.request.Request(prepared.url, prepared.body, dict(prepared.headers.items()), method=prepared.method)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sent, timeout=30) as answer:
            return answer.status
    except HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("auth, body", [(SigV4Auth, None), (SigV4Auth, json.dumps({"name": "Zoë"}).encode()),
                                        (SigV4QueryAuth, None)])
def test_botocore_calls_an_api(aws, auth, body):
    assert api_request(aws, aws.key, body, auth=auth) == 200
    assert api_request(aws, aws.key.wrong, body, auth=auth) == 403
    assert [method for method, _, _ in aws.store.requests] == ["POST" if body else "GET"]


# --- programs ---------------------------------------------------------------------------------------------------------

def run(command, key, folder, succeeds=True, **environment):
    """Runs a program that finds nothing but what it is given. Its output."""
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "*",
             "AWS_DEFAULT_REGION": REGION, "AWS_MAX_ATTEMPTS": "1", "LC_ALL": "C.UTF-8", **key.environment}
    result = subprocess.run([str(word) for word in command], env={**clean, **environment}, cwd=folder,
                            capture_output=True, text=True, check=False, timeout=120)
    assert (result.returncode == 0) == succeeds, result
    return result.stdout + result.stderr


def test_the_command_line_of_aws(aws, tmp_path):
    def command(*words, key=aws.key, succeeds=True):
        return run(["/usr/bin/aws", "--endpoint-url", aws.endpoint, *words], key, tmp_path, succeeds)
    command("s3", "cp", LARGE.file, "s3://box/folder/a b")
    assert aws.store.objects == {"/box/folder/a b": LARGE.data}
    assert str(LARGE.size) in command("s3", "ls", "s3://box/folder/")
    command("s3", "cp", "s3://box/folder/a b", "back")
    assert (tmp_path / "back").read_bytes() == LARGE.data
    assert fetch(command("s3", "presign", "s3://box/folder/a b").strip()) == (200, LARGE.data)
    command("s3", "rm", "s3://box/folder/a b")
    assert aws.store.objects == {}
    assert "SignatureDoesNotMatch" in command("s3api", "put-object", "--bucket", "box", "--key", "k", key=aws.key.wrong,
                                              succeeds=False)
    assert aws.store.objects == {}


def curl(aws, key, folder, service, *words):
    """The status that curl, as signer, gets."""
    return run(["curl", "--silent", "--show-error", "--output", "answer", "--write-out", "%{http_code}", "--aws-sigv4",
                f"aws:amz:{REGION}:{service}", "--user", f"{key.access_key}:{key.secret}", *words], key, folder)


def test_curl_calls_an_api(aws, tmp_path):
    url = f"{aws.endpoint}/prod/pets?a=1&b=2"
    (tmp_path / "body").write_bytes(BODY)
    for words, status in (((), "200"), (("--data-binary", "@body"), "200"), (("--request", "DELETE"), "204")):
        assert curl(aws, aws.key, tmp_path, "execute-api", *words, url) == status
        assert curl(aws, aws.key.wrong, tmp_path, "execute-api", *words, url) == "403"
    assert [method for method, _, _ in aws.store.requests] == ["GET", "POST", "DELETE"]


def test_curl_stores_an_object(aws, tmp_path):
    (tmp_path / "body").write_bytes(BODY)
    url = f"{aws.endpoint}/lenient/k"
    words = ("--request", "PUT", "--data-binary", "@body", "--header", "Content-Type: text/plain")
    assert curl(aws, aws.key, tmp_path, "s3", *words, url) == "200"
    assert aws.store.objects == {"/lenient/k": BODY}
    assert curl(aws, aws.key, tmp_path, "s3", url) == "200" and (tmp_path / "answer").read_bytes() == BODY
    assert curl(aws, aws.key.wrong, tmp_path, "s3", *words, url) == "403"


def test_s3cmd(aws, tmp_path):
    host = aws.endpoint.removeprefix("http://")
    base = ["s3cmd", f"--host={host}", f"--host-bucket={host}", "--no-ssl", f"--region={REGION}", "--no-progress",
            f"--config={tmp_path / 'none'}"]

    def command(*words, key=aws.key, succeeds=True):
        (tmp_path / "none").write_text("[default]\n", encoding="ascii")
        return run([*base, f"--access_key={key.access_key}", f"--secret_key={key.secret}", *words], key, tmp_path,
                   succeeds)
    (tmp_path / "body").write_bytes(BODY)
    command("put", "body", "s3://box/folder/a b")
    assert aws.store.objects == {"/box/folder/a b": BODY}
    command("get", "s3://box/folder/a b", "back")
    assert (tmp_path / "back").read_bytes() == BODY
    assert "SignatureDoesNotMatch" in command("put", "body", "s3://box/other", key=aws.key.wrong, succeeds=False)
    assert list(aws.store.objects) == ["/box/folder/a b"]


def test_rclone(aws, tmp_path):
    remote = f":s3,provider=Other,env_auth,region={REGION},endpoint='{aws.endpoint}':box"
    base = ["rclone", "--config", "/dev/null", "--retries", "1", "--low-level-retries", "1"]
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "a b+ü").write_bytes(BODY)
    (folder / "large").write_bytes(LARGE.data)
    run([*base, "copy", "here", remote, "--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M"], aws.key, tmp_path)
    assert aws.store.objects == {"/box/a b+ü": BODY, "/box/large": LARGE.data}
    run([*base, "copy", remote, "back"], aws.key, tmp_path)
    assert (tmp_path / "back" / "large").read_bytes() == LARGE.data
    run([*base, "copy", "here", remote + "/other"], aws.key.wrong, tmp_path, succeeds=False)
    assert len(aws.store.objects) == 2


def test_restic(aws, tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "a b+ü").write_bytes(LARGE.data)

    def command(*words, key=aws.key, succeeds=True):
        base = ["restic", "--repo", f"s3:{aws.endpoint}/box/backup", "--option", f"s3.region={REGION}", "--no-cache"]
        return run([*base, *words], key, tmp_path, succeeds, RESTIC_PASSWORD="of this repository")
    command("init")
    command("backup", "here")
    command("restore", "latest", "--target", "back")
    assert next((tmp_path / "back").rglob("a b+ü")).read_bytes() == LARGE.data
    command("check")
    stored = len(aws.store.objects)
    command("backup", "here", key=aws.key.wrong, succeeds=False)
    assert len(aws.store.objects) == stored


def test_no_test_above_ran_without_the_programs():
    assert all(os.access(f"/usr/bin/{name}", os.X_OK) for name in ("aws", "curl", "s3cmd", "rclone", "restic"))
