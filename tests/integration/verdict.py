"""Lets httpd tell a test, in the answer, what it decided. For tests only: a client learns the class and no more.

SPDX-License-Identifier: Apache-2.0
"""

# Needs mod_headers.
TELL = """
Header always set X-Test-Result "%{AUTHVERIFY_RESULT}e"
Header always set X-Test-Reason "%{AUTHVERIFY_REASON}e"
Header always set X-Test-Label "%{AUTHVERIFY_SECRET_LABEL}e"
"""


def reason_of(response):
    """"accepted", or why not."""
    result = response.get("X-Test-Result")
    return response.get("X-Test-Reason") if result == "refused" else result


def label_of(response):
    """Which secret matched; None where none did."""
    label = response.get("X-Test-Label")
    return None if label == "(null)" else label
