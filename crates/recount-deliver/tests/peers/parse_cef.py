"""Parses CEF (one event per line on standard input) with pycef and prints one JSON object per line."""

import json
import sys

import pycef


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(pycef.parse(line.rstrip("\n"))))


main()
