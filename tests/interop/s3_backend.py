"""A store for objects that speaks as much of S3 as the clients here need, and checks no signature: httpd in front does.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import re
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote
from xml.sax.saxutils import escape

STORED_AT = "2026-01-01T00:00:00.000Z"
API = "prod"  # not a bucket: what is called there is answered
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Store:
    """Objects by path, and the uploads in parts that are not complete. `requests` is what came in: (method, target,
    headers with names in lower case)."""

    def __init__(self):
        self.objects = {}
        self.uploads = {}
        self.requests = []
        store = self

        class Handler(_Handler):
            pass
        Handler.store = store
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def reset(self):
        self.objects.clear()
        self.uploads.clear()
        self.requests.clear()

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def etag(data):
    return f'"{hashlib.md5(data).hexdigest()}"'


def listing(bucket, objects, query):
    """What a bucket holds below a prefix, up to a delimiter, in one page."""
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    keys, folders = [], set()
    for path in sorted(objects):
        key = path.removeprefix(f"/{bucket}/")
        if key == path or not key.startswith(prefix):
            continue
        head, found, _ = key[len(prefix):].partition(delimiter) if delimiter else (key, "", "")
        if found:
            folders.add(prefix + head + delimiter)
        else:
            keys.append((key, objects[path]))
    written, encoding = (quote, "<EncodingType>url</EncodingType>") if "encoding-type" in query else (escape, "")
    contents = "".join(f"<Contents><Key>{written(key)}</Key><LastModified>{STORED_AT}</LastModified><ETag>{etag(data)}"
                       f"</ETag><Size>{len(data)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
                       for key, data in keys)
    prefixes = "".join(f"<CommonPrefixes><Prefix>{written(folder)}</Prefix></CommonPrefixes>"
                       for folder in sorted(folders))
    return (f"<ListBucketResult><Name>{bucket}</Name><Prefix>{written(prefix)}</Prefix><KeyCount>{len(keys)}</KeyCount>"
            f"<MaxKeys>1000</MaxKeys>{encoding}<IsTruncated>false</IsTruncated>{contents}{prefixes}</ListBucketResult>")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def _take(self):
        """Reads the whole request."""
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fields = {name.lower(): value for name, value in self.headers.items()}
        self.store.requests.append((self.command, self.path, fields))
        path, _, query = self.path.partition("?")
        self.key, self.query = unquote(path), dict(parse_qsl(query, keep_blank_values=True))
        self.bucket = self.key.split("/")[1]
        self.is_bucket = self.key.rstrip("/") == f"/{self.bucket}"

    def _answer(self, status=200, data=b"", **fields):
        self.send_response(status)
        fields.setdefault("Content-Length", len(data))
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(data)

    def _answer_xml(self, text, status=200):
        self._answer(status, (XML + text).encode(), Content_Type="application/xml")

    def do_PUT(self):
        self._take()
        if "uploadId" in self.query:
            self.store.uploads[self.query["uploadId"]][int(self.query["partNumber"])] = self.body
        elif not self.is_bucket:
            self.store.objects[self.key] = self.body
        self._answer(ETag=etag(self.body))

    def do_POST(self):
        self._take()
        if "uploads" in self.query:
            upload = f"upload-{len(self.store.uploads)}"
            self.store.uploads[upload] = {}
            self._answer_xml(f"<InitiateMultipartUploadResult><Bucket>{self.bucket}</Bucket><Key>"
                             f"{escape(self.key.removeprefix(f'/{self.bucket}/'))}</Key><UploadId>{upload}</UploadId>"
                             "</InitiateMultipartUploadResult>")
        elif "uploadId" in self.query:
            parts = self.store.uploads.pop(self.query["uploadId"])
            self.store.objects[self.key] = b"".join(parts[number] for number in sorted(parts))
            self._answer_xml(f"<CompleteMultipartUploadResult><ETag>{escape(etag(self.store.objects[self.key]))}</ETag>"
                             "</CompleteMultipartUploadResult>")
        elif "delete" in self.query:
            for key in re.findall("<Key>(.*?)</Key>", self.body.decode()):
                self.store.objects.pop(f"/{self.bucket}/{key}", None)
            self._answer_xml("<DeleteResult></DeleteResult>")
        else:
            self._answer(data=self.body)

    def do_DELETE(self):
        self._take()
        self.store.objects.pop(self.key, None)
        self._answer(204)

    def do_GET(self):
        self._take()
        if self.bucket == API:
            self._answer()
        elif "location" in self.query:
            self._answer_xml("<LocationConstraint></LocationConstraint>")
        elif self.is_bucket:
            self._answer_xml(listing(self.bucket, self.store.objects, self.query))
        elif self.key not in self.store.objects:
            self._answer_xml("<Error><Code>NoSuchKey</Code><Message>none</Message></Error>", 404)
        else:
            self._answer_object(self.store.objects[self.key])

    do_HEAD = do_GET

    def _answer_object(self, data):
        fields = {"ETag": etag(data), "Last_Modified": formatdate(1767225600, usegmt=True), "Accept_Ranges": "bytes",
                  "Content_Type": "application/octet-stream"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not asked:
            self._answer(data=data, **fields)
            return
        first, last = int(asked[1]), min(int(asked[2] or len(data)), len(data) - 1)
        self._answer(206, data[first:last + 1], Content_Range=f"bytes {first}-{last}/{len(data)}", **fields)
