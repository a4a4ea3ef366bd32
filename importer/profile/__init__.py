"""The profile: schema, loading, precedence, nearest-name errors, fingerprint, credentials. Never sends."""

from __future__ import annotations

from importer.profile.chosen_target import HARMLESS_TARGETS
from importer.profile.console import ConsoleSettings
from importer.profile.credentials import credentials
from importer.profile.delivery import DeliverySettings, TargetSettings
from importer.profile.kept import KeptProfile
from importer.profile.layers import OPTIONS
from importer.profile.mapping_rules import FieldRule
from importer.profile.operating import LogSettings, MetricsSettings, OtelSettings, OutputSettings, RetentionSettings
from importer.profile.profile import Profile
from importer.profile.settings import RemoteSettings, ResultsSettings, SourceLimits, SourceSettings, ValidationSettings
from importer.profile.tables import EMULATOR, kind_in
from importer.profile.transform import TransformSettings
from importer.profile.value_types import Rate, RateLimits

__all__ = [
    "EMULATOR",
    "HARMLESS_TARGETS",
    "OPTIONS",
    "ConsoleSettings",
    "DeliverySettings",
    "FieldRule",
    "KeptProfile",
    "LogSettings",
    "MetricsSettings",
    "OtelSettings",
    "OutputSettings",
    "Profile",
    "Rate",
    "RateLimits",
    "RemoteSettings",
    "ResultsSettings",
    "RetentionSettings",
    "SourceLimits",
    "SourceSettings",
    "TargetSettings",
    "TransformSettings",
    "ValidationSettings",
    "credentials",
    "kind_in",
]
