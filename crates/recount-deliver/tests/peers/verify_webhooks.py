"""Verifies webhook requests with the libraries that receivers use.

Standard input: {"secret": "whsec_…", "requests": [{"headers": {…}, "body": "…"}]}.
Prints {"verified": n, "refused": n}; a changed body must be refused.
"""

import json
import sys

import standardwebhooks
import svix.webhooks


def main() -> None:
    given = json.load(sys.stdin)
    verified = refused = 0
    for request in given["requests"]:
        headers, body = request["headers"], request["body"]
        svix_headers = {name.replace("webhook-", "svix-"): value for name, value in headers.items()}
        for library, names in ((standardwebhooks.Webhook, headers), (svix.webhooks.Webhook, svix_headers)):
            library(given["secret"]).verify(body, names)
            verified += 1
            try:
                library(given["secret"]).verify(body + " ", names)
            except Exception:
                refused += 1
    print(json.dumps({"verified": verified, "refused": refused}))


main()
