"""ClickHouse (chdb) on the same events: loads Recount's own segments, times the queries.

Reads one JSON object from standard input:
  {"segments": [glob, ...], "queries": {name: sql, ...}, "repeats": n, "folder": path}
Prints one JSON object: {"load_seconds": s, "bytes": b, "queries": {name: {"p50": ms, "p99": ms, "cold": ms}}}
Queries run in this process, without HTTP: that favours ClickHouse.
"""

import glob
import json
import sys
import time

from chdb import session

TABLE = """
CREATE TABLE events (
  tenant LowCardinality(String), seq UInt64, occurred_at DateTime64(6, 'UTC'),
  id String, action LowCardinality(String), outcome LowCardinality(String),
  actor_id LowCardinality(String), target String, body String CODEC(ZSTD(3)),
  INDEX words body TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 4,
  INDEX ids id TYPE bloom_filter GRANULARITY 4,
  INDEX targets target TYPE bloom_filter GRANULARITY 4
) ENGINE = MergeTree ORDER BY (tenant, occurred_at)
"""


def percentile(times, percent):
    return sorted(times)[round(percent / 100 * (len(times) - 1))]


def main():
    task = json.load(sys.stdin)
    clickhouse = session.Session(task["folder"])
    clickhouse.query("CREATE DATABASE bench ENGINE = Atomic")
    clickhouse.query("USE bench")
    clickhouse.query("SET max_threads = 2")
    clickhouse.query(TABLE)
    started = time.monotonic()
    for tenant, pattern in task["segments"].items():
        for path in sorted(glob.glob(pattern)):
            clickhouse.query(
                f"INSERT INTO events SELECT '{tenant}', seq, occurred_at, id, action, outcome,"
                f" actor_id, coalesce(target, ''), body FROM file('{path}', Parquet)"
            )
    clickhouse.query("OPTIMIZE TABLE events FINAL")
    load_seconds = time.monotonic() - started
    size = clickhouse.query(
        "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'events'", "JSONEachRow"
    )
    answers = {}
    for name, sql in task["queries"].items():
        # The query-condition cache would answer repeats without running them.
        sql += " SETTINGS use_query_condition_cache = 0, use_query_cache = 0"
        times = []
        for _ in range(task["repeats"] + 1):
            before = time.perf_counter()
            clickhouse.query(sql, "JSONEachRow").bytes()
            times.append((time.perf_counter() - before) * 1e3)
        cold, warm = times[0], times[1:]
        answers[name] = {"cold": cold, "p50": percentile(warm, 50), "p99": percentile(warm, 99)}
    size_bytes = int(list(json.loads(size.bytes().decode().splitlines()[0]).values())[0])
    print(json.dumps({"load_seconds": load_seconds, "bytes": size_bytes, "queries": answers}))


if __name__ == "__main__":
    main()
