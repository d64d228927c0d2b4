"""Validates OCSF events against the published schemas.

Standard input: one event per line. Prints {"events": n, "classes": {…}, "errors": […]}.
"""

import collections
import json
import sys

import jsonschema
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

ERRORS_SHOWN = 20


def main() -> None:
    schemas, validators = {}, {}
    classes, errors, events = collections.Counter(), [], 0
    for line in sys.stdin:
        event = json.loads(line)
        events += 1
        version = event["metadata"]["version"]
        name = event["class_name"]
        classes[name] += 1
        key = (version, event["class_uid"])
        if key not in validators:
            if version not in schemas:
                schemas[version] = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version))
            schema = schemas[version]
            class_name = schema.lookup_class_name_from_uid(event["class_uid"])
            validators[key] = jsonschema.Draft202012Validator(schema.get_class_schema(class_name, profiles=[]))
        for error in validators[key].iter_errors(event):
            if len(errors) < ERRORS_SHOWN:
                errors.append(f"{name} {event['metadata']['uid']} {error.json_path}: {error.message[:200]}")
        if event["type_uid"] != event["class_uid"] * 100 + event["activity_id"]:
            errors.append(f"{name}: type_uid {event['type_uid']}")
    print(json.dumps({"events": events, "classes": classes, "errors": errors}))


main()
