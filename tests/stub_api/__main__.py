"""Serve the stub until it is terminated; prints one line of JSON as soon as it listens."""

from __future__ import annotations

import argparse
import json
import sys
import threading

from tests.stub_api.faults import FaultPlan
from tests.stub_api.held import Held
from tests.stub_api.server import API_KEY, API_SECRET, Stub, StubServer


def main() -> None:
    """Serve both ports."""
    parser = argparse.ArgumentParser(prog="python -m tests.stub_api", description=__doc__)
    parser.add_argument("--share", type=float, default=0.0, help="of the requests of every kind that fail, 0 to 1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--idv-seconds", type=float, default=0.5, help="how long an identity verification takes")
    parser.add_argument("--lag", type=float, default=0.0, help="seconds until lists show what is new")
    asked = parser.parse_args()
    stub = Stub(Held(asked.idv_seconds, asked.lag), FaultPlan(asked.share, asked.seed))
    with StubServer(stub) as api, StubServer(stub) as uploads:
        stub.base_url, stub.upload_url = api.url, uploads.url
        threading.Thread(target=uploads.serve_forever, daemon=True).start()
        sys.stdout.write(json.dumps({"base_url": api.url, "api_key": API_KEY, "api_secret": API_SECRET}) + "\n")
        sys.stdout.flush()
        api.serve_forever()


main()
