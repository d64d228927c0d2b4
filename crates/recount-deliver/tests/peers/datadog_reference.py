"""Sends logs to a stub with Datadog's own client, so that its request can be compared with ours.

Standard input: {"server": "http://127.0.0.1:…", "api_key": "…", "logs": [{…}]}.
"""

import json
import sys

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.logs_api import LogsApi
from datadog_api_client.v2.model.content_encoding import ContentEncoding
from datadog_api_client.v2.model.http_log import HTTPLog
from datadog_api_client.v2.model.http_log_item import HTTPLogItem


def main() -> None:
    given = json.load(sys.stdin)
    configuration = Configuration(host=given["server"])
    configuration.api_key["apiKeyAuth"] = given["api_key"]
    configuration.server_index = 1
    configuration.server_variables = {"name": given["server"].split("://")[1], "protocol": "http"}
    configuration.server_operation_index["v2.submit_log"] = 1
    configuration.server_operation_variables["v2.submit_log"] = {
        "name": given["server"].split("://")[1],
        "protocol": "http",
    }
    with ApiClient(configuration) as client:
        LogsApi(client).submit_log(
            content_encoding=ContentEncoding.GZIP,
            body=HTTPLog([HTTPLogItem(**log) for log in given["logs"]]),
        )


main()
