"""What is shipped for a cluster, as data: the Compose file, the Kubernetes documents, the commands of the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from importer.engines.dask.worker import SECRET_VARIABLE
from tests.acceptance.conftest import ROOT

CLUSTER = ROOT / "configs" / "cluster"
COMPOSE = CLUSTER / "compose.yaml"
README = (CLUSTER / "README.md").read_text(encoding="utf-8")
SHOWN = [
    line.removeprefix("$ ").partition(" #")[0].strip()
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
NOBODY = 10001
ELSEWHERE = {"IMPORTER_JOURNAL_PASSWORD", SECRET_VARIABLE}
"""Variables that are no setting of a profile."""
JOURNAL = {"IMPORTER_JOURNAL": "postgresql://nightly@db.example.com/imports"}

OUTSIDE = {("192.0.2.10/32", 5432), ("198.51.100.0/24", 443)}
"""The journal's database, and the API."""
NAMES = ("kube-system", 53)
FLOWS = {
    "scheduler": {("worker", 8788)},
    "worker": {("scheduler", 8786), NAMES, *OUTSIDE},
    "client": {("scheduler", 8786), NAMES, *OUTSIDE},
}
"""Who has to reach whom: what nothing here needs is not allowed."""


def everything() -> list[dict[str, Any]]:
    """Every document for Kubernetes."""
    return [one for path in sorted(CLUSTER.glob("kubernetes/*.yaml")) for one in yaml.safe_load_all(path.read_text())]


def documents(kind: str) -> dict[str, Any]:
    """Those of one kind, by their names."""
    return {one["metadata"]["name"]: one for one in everything() if one["kind"] == kind}


def pods() -> dict[str, dict[str, Any]]:
    """The pods' templates."""
    deployed = {name: one["spec"]["template"] for name, one in documents("Deployment").items()}
    timed = {name: one["spec"]["jobTemplate"]["spec"]["template"] for name, one in documents("CronJob").items()}
    return deployed | timed


def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["spec"]["containers"]
    return dict(only)


def environ_of(pod: dict[str, Any]) -> dict[str, str]:
    """What a container's environment would be."""
    settings, one = documents("ConfigMap"), container(pod)
    shared = [settings[source["configMapRef"]["name"]]["data"] for source in one["envFrom"]]
    return {name: text for data in shared for name, text in data.items()} | {
        variable["name"]: variable["value"] for variable in one.get("env", [])
    }


def services() -> dict[str, dict[str, Any]]:
    found = yaml.safe_load(COMPOSE.read_text())["services"]
    return {str(name): dict(service) for name, service in found.items()}


def environments() -> Iterator[tuple[str, dict[str, str]]]:
    yield from ((name, environ_of(pod)) for name, pod in pods().items())
    yield from ((f"compose {name}", service["environment"]) for name, service in services().items())


def of_peer(peer: dict[str, Any]) -> str:
    if "ipBlock" in peer:
        return str(peer["ipBlock"]["cidr"])
    if "namespaceSelector" in peer:
        return str(peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"])
    return str(peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"])


def allowed(direction: str, of: str) -> Iterator[tuple[str, str, int]]:
    """Who may reach whom at which port, by the policies."""
    for policy in documents("NetworkPolicy").values():
        whose = policy["spec"]["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/component", "")
        for rule in policy["spec"].get(direction, []):
            yield from ((whose, of_peer(peer), port["port"]) for peer in rule[of] for port in rule["ports"])
