"""The schema of a whole profile: every table, and which names of fields they may use. Values only.

How a profile is put together from files, the environment and options: see `importer.profile.profile`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from importer.core.contract import contract_of
from importer.core.target_kinds import DEFAULT_KIND
from importer.profile.after_create import AfterCreateSettings, DocumentSettings, VerificationSettings
from importer.profile.console import ConsoleSettings
from importer.profile.delivery import DeliverySettings, TargetSettings
from importer.profile.engine import EngineSettings
from importer.profile.fieldnames import Named, apart_from_fields, check_names, quotes_forgotten
from importer.profile.mapping_rules import GroupingSettings, MappingRule
from importer.profile.nightly import NightlySettings, NotifySettings
from importer.profile.operating import (
    ApprovalSettings,
    JournalSettings,
    LogSettings,
    MetricsSettings,
    OtelSettings,
    OutputSettings,
    RetentionSettings,
)
from importer.profile.section import Section
from importer.profile.settings import RemoteSettings, ResultsSettings, SourceSettings, ValidationSettings
from importer.profile.transform import Transform, TransformSettings

if TYPE_CHECKING:
    from importer.core.contract import Contract

EMULATOR = "emulator"


def _lower_case(name: str) -> str:
    if name != name.lower():
        raise ValueError("named in small letters")
    return name


TargetName = Annotated[str, AfterValidator(_lower_case)]


class ProfileTables(Section):
    """Everything that a run has to know; `ProfileTables()` is the defaults."""

    target: TargetName = Field(
        EMULATOR,
        description=(
            "Where customers are created. A file alone may name `emulator` and `sandbox`; any other is named "
            "by `--target` or IMPORTER_TARGET."
        ),
    )
    workspace: Path = Field(
        Path("runs"),
        description="The folder of the journal and the run directories; keep it, it knows what was imported.",
    )
    dry_run: bool = Field(False, description="Only check, as `importer validate` does.")
    account_of: str = Field(
        "",
        description=(
            "The account of a new API key: a run that sent to the same account, or `new`; remembered once it was given."
        ),
    )
    yes: bool = Field(False, description="Do not ask before sending to a live target.")
    journal: JournalSettings = JournalSettings()
    source: SourceSettings = SourceSettings()
    remote: RemoteSettings = RemoteSettings()
    engine: EngineSettings = EngineSettings()
    mapping: dict[str, MappingRule] = Field(
        default_factory=dict,
        description="Customer field to the rule that fills it; empty: the columns are matched by name and content.",
    )
    grouping: GroupingSettings = GroupingSettings()
    """`group_by` and `group_primary`, which are under `[mapping]`."""
    transform: Transform = Field(
        TransformSettings(),
        description="A function of your own that makes the columns: it gets the rows as a DataFrame of text and "
        "returns the same rows. Its module is looked for in the profile's folder first; empty: none.",
    )
    """It is under `[mapping]`, too."""
    validation: ValidationSettings = ValidationSettings()
    targets: dict[TargetName, TargetSettings] = Field(default_factory=dict)
    delivery: DeliverySettings = DeliverySettings()
    """As resolved for the chosen target."""
    after_create: AfterCreateSettings = AfterCreateSettings()
    idv: VerificationSettings = VerificationSettings()
    documents: DocumentSettings = DocumentSettings()
    results: ResultsSettings = ResultsSettings()
    nightly: NightlySettings = NightlySettings()
    notify: NotifySettings = NotifySettings()
    log: LogSettings = LogSettings()
    output: OutputSettings = OutputSettings()
    retention: RetentionSettings = RetentionSettings()
    approval: ApprovalSettings = ApprovalSettings()
    console: ConsoleSettings = ConsoleSettings()
    metrics: MetricsSettings = MetricsSettings()
    otel: OtelSettings = OtelSettings()

    @model_validator(mode="before")
    @classmethod
    def _some_keys_of_mapping_name_no_field(cls, data: Any) -> Any:
        given = apart_from_fields(data)
        return with_names(given, kind_in(given)) if isinstance(given, Mapping) else given

    @model_validator(mode="after")
    def _only_fields_of_the_contract(self) -> Self:
        named: list[Named] = [(("mapping", name, "[key]"), name) for name in self.mapping]
        named += [(("validation", "no_change", at), name) for at, name in enumerate(self.validation.no_change)]
        if named:
            check_names(named, self.contract.fields)
        return self

    @property
    def contract(self) -> Contract:
        """What the records of the chosen target are.

        Raises:
            ProfileError: there is no such kind of target.
        """
        section = self.targets.get(self.target)
        return contract_of(section.kind if section else DEFAULT_KIND)


def kind_in(data: Mapping[str, Any]) -> str:
    """The kind of the chosen target, in data that is not checked yet."""
    targets, target = data.get("targets"), data.get("target", EMULATOR)
    section = targets.get(target) if isinstance(targets, Mapping) and isinstance(target, str) else None
    kind = section.get("kind") if isinstance(section, Mapping) else getattr(section, "kind", None)
    return kind if isinstance(kind, str) else DEFAULT_KIND


def with_names(data: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The same data with the names of fields whole, quotes or not."""
    if not data.get("mapping"):
        return data
    return {**data, "mapping": quotes_forgotten(data["mapping"], contract_of(kind).fields)}
