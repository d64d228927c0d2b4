"""Starts a Recount server on a free loopback port and runs schemathesis against its OpenAPI document.

Usage: python run.py PATH-TO-RECOUNT [MAX-EXAMPLES]
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

OPERATOR_KEY = "schemathesis-operator-key-0123456789-0123456789"
START_SECONDS_MAX = 60
SEED = "20261123"
# Says which exceptions are made and why.
CONFIG = pathlib.Path(__file__).parents[2] / "crates/recount-server/schemathesis.toml"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(base: str, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if server.poll() is not None:
            sys.exit(f"recount ended while starting (exit code {server.returncode})")
        try:
            with urllib.request.urlopen(f"{base}/readyz", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    sys.exit(f"recount was not ready in {START_SECONDS_MAX} s")


def call(base: str, path: str, body: dict) -> dict:
    request = urllib.request.Request(
        base + path,
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {OPERATOR_KEY}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def make_tenant_key(base: str) -> str:
    """Makes a tenant with an event, and a key of that tenant with every right a tenant can have."""
    actor = {"type": "user", "id": "u_1", "name": "Ada"}
    event = {"id": "e1", "tenant": "acme", "occurred_at": "2026-11-23T14:32:07Z", "action": "user.login"}
    call(base, "/v1/events", event | {"actor": actor})
    scopes = ["events:write", "events:read", "exports:write", "streams:manage", "keys:manage", "proof:read"]
    return call(base, "/v1/keys", {"name": "schemathesis", "tenant": "acme", "scopes": scopes})["key"]


def run(base: str, key: str, examples: str, extra: list[str]) -> int:
    return subprocess.call(
        [
            pathlib.Path(sys.executable).parent / "schemathesis",
            "--config-file", CONFIG,
            "run", f"{base}/openapi.json",
            "--header", f"Authorization: Bearer {key}",
            "--max-examples", examples,
            "--seed", SEED,
            *extra,
        ]
    )


def main() -> int:
    program = sys.argv[1]
    examples = sys.argv[2] if len(sys.argv) > 2 else "15"
    base = f"http://127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as folder, open(pathlib.Path(folder, "server.log"), "wb") as log:
        server = subprocess.Popen(
            [program, "serve", "--data-dir", f"{folder}/data", "--listen", base.removeprefix("http://")],
            env={**os.environ, "RECOUNT_OPERATOR_KEY": OPERATOR_KEY},
            stdout=log,
            stderr=log,
        )
        try:
            wait_until_ready(base, server)
            tenant = run(base, make_tenant_key(base), examples, [])
            vendor_routes = "^/v1/(tenants|portal-sessions)"
            operator = run(base, OPERATOR_KEY, examples, ["--include-path-regex", vendor_routes])
            return tenant or operator
        finally:
            server.terminate()
            server.wait(timeout=30)


if __name__ == "__main__":
    sys.exit(main())
