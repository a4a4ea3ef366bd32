"""Servers that folders at an address are tested against."""

from tests.remote_fixtures import at_home, gs, in_aws, s3, site, ssh

__all__ = ["at_home", "gs", "in_aws", "s3", "site", "ssh"]
