"""What httpd looks up for itself may stand under a .htaccess, whose rules end with the look-up: the next one is judged by
its own, wherever in memory they are.

SPDX-License-Identifier: Apache-2.0
"""
import re

import pytest

from client import get
from server import Server

CONFIG = """
AuthVerifyPreset first api-key in=header:X-First secret=file:${ROOT}/conf/secret
AuthVerifyPreset second api-key in=header:X-Second secret=file:${ROOT}/conf/secret
<Directory "${ROOT}/htdocs">
    AllowOverride All
    Options +Includes +Indexes
    AddType text/html .shtml
    AddOutputFilter INCLUDES .shtml
</Directory>
"""

SECRET = "the-secret-of-both-presets"
FOLDERS = [(f"{number:02}-{preset}", preset) for number in range(10) for preset in ("first", "second")]


@pytest.fixture(scope="module")
def server():
    made = Server(CONFIG, modules=["include", "mime", "autoindex", "dir"])
    made.secret("secret", SECRET)
    sizes = "".join(f'{name}=[<!--#fsize virtual="{name}/x.txt" -->]\n' for name, _ in FOLDERS)
    made.write("listed/page.shtml", f'<!--#config sizefmt="bytes" errmsg="refused" -->{sizes}')
    for name, preset in FOLDERS:
        made.write(f"listed/{name}/.htaccess", f"AuthVerify {preset}\n")
        made.write(f"listed/{name}/x.txt", "12345")
    with made:
        yield made


@pytest.mark.parametrize("shown", ["first", "second"])
def test_each_file_whose_size_is_asked_is_judged_by_its_own_folder(server, shown):
    server.allow(r"unable to|lookup-refused reason=not-presented")
    page = get(server, "/listed/page.shtml", {f"X-{shown}": SECRET}).body.decode()
    found = dict(re.findall(r"(\S+)=\[(.*?)\]", page))
    assert found == {name: "5" if preset == shown else "refused" for name, preset in FOLDERS}


@pytest.mark.parametrize("shown", ["first", "second"])
def test_each_folder_that_is_listed_is_judged_by_itself(server, shown):
    server.allow("lookup-refused reason=not-presented")
    page = get(server, "/listed/", {f"X-{shown}": SECRET}).body.decode()
    listed = set(re.findall(r'href="(\d\d-\w+)/"', page))
    assert listed == {name for name, preset in FOLDERS if preset == shown}
