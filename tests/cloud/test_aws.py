#!/usr/bin/env python3
"""Tests of the local cloud's AWS endpoint: on loopback, without an engine, with a registry in
memory.

    python3 tests/cloud/test_aws.py [-f] [-v] [-k states]

They are in aws/tests; test_aws_live.py has those with real containers.
"""

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent


def load_tests(loader, _tests, _pattern):
    return loader.discover(str(HERE / "aws" / "tests"), top_level_dir=str(HERE))


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    sys.dont_write_bytecode = True
    unittest.main(warnings="ignore")  # botocore's own: utcnow
