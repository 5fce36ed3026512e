"""Run by Feast's Python in a repository: reads `spine.parquet` with a service, as its users would.

Prints JSON: `historical` values by feature, in the spine's order.
"""

import json
import sys

import feast
import pyarrow.parquet as pq

store = feast.FeatureStore(repo_path=".")
service = store.get_feature_service(sys.argv[1])
spine = pq.read_table("spine.parquet")
job = store.get_historical_features(spine.to_pandas(), service, filter_by_created_timestamp=True)
found = job.to_arrow().sort_by("number")
names = [name for name in found.column_names if name not in spine.column_names]
print(json.dumps({"historical": {name: found[name].to_pylist() for name in names}}))  # noqa: T201 - its answer
