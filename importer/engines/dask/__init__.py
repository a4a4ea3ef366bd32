"""The engine that checks batches, and has rows sent, on the workers of a Dask cluster, of this machine or any."""

from importer.engines.dask.connection import Cluster, require_dask
from importer.engines.dask.local_cluster import LocalCluster
from importer.engines.dask.long_task import LongTask, require_able
from importer.engines.dask.named_cluster import Certificates, NamedCluster
from importer.engines.dask.pool import DaskPool

__all__ = [
    "Certificates",
    "Cluster",
    "DaskPool",
    "LocalCluster",
    "LongTask",
    "NamedCluster",
    "require_able",
    "require_dask",
]
