"""Programs for node, with the packages of package-lock.json in the folder AUTHVERIFY_NODE_MODULES (default:
interop/node_modules below the build folder).

SPDX-License-Identifier: Apache-2.0
"""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("AUTHVERIFY_BUILD", HERE.parents[1]))
NODE_MODULES = Path(os.environ.get("AUTHVERIFY_NODE_MODULES", BUILD / "interop" / "node_modules")).resolve()


def run_node(program, text, folder):
    """What a program of this folder says, in `folder`, with `text` as its input."""
    if not NODE_MODULES.is_dir():
        assert "AUTHVERIFY_NODE_MODULES" not in os.environ, f"{NODE_MODULES} is not there"
        pytest.skip(f"the packages are not installed in {NODE_MODULES}")
    shutil.copy(HERE / program, folder)
    modules = Path(folder, "node_modules")
    if not modules.is_symlink():
        modules.symlink_to(NODE_MODULES)
    result = subprocess.run(["node", Path(folder, program)], input=text, capture_output=True, text=True, check=False,
                            timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout
