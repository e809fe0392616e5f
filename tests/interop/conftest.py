"""The tests here use the servers, clients and rules of ../integration: every error log is read to its end.

SPDX-License-Identifier: Apache-2.0
"""
import importlib.util
import sys
from pathlib import Path

INTEGRATION = Path(__file__).resolve().parents[1] / "integration"
sys.path.insert(0, str(INTEGRATION))

_specification = importlib.util.spec_from_file_location("integration_conftest", INTEGRATION / "conftest.py")
_module = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(_module)

# Hooks and fixtures are found by their names in this module.
globals().update({name: value for name, value in vars(_module).items() if not name.startswith("_")})
