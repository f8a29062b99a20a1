"""Tests that need neither an engine nor a registry: tests/cloud/test_aws.py runs them."""
