"""Holds CACAO playbooks against the published schemas, and our extension in them against ours.

Arguments: the folder of the schemas, our schema, then the playbooks. Prints what is wrong with each;
nothing is fetched, since every schema that another names is in the folder.
"""

import json
import pathlib
import sys

import jsonschema

EXTENSION = "extension-definition--3f0c7a1e-52d4-4b8e-9c61-7d0b8f2a6e55"


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def validator(schema, store):
    resolver = jsonschema.RefResolver(schema.get("$id", ""), schema, store=store)
    return jsonschema.validators.validator_for(schema)(schema, resolver=resolver)


def told(name, check, instance):
    for error in check.iter_errors(instance):
        where = "/".join(str(step) for step in error.absolute_path)
        print(f"{name}: /{where}: {error.message[:300]}")


def main(folder, ours, *files):
    # Named by where they stand, so that each reference leads to a file.
    store = {}
    for path in pathlib.Path(folder).resolve().rglob("*.json"):
        store[path.as_uri()] = {**read(path), "$id": path.as_uri()}
    name, = (uri for uri in store if uri.endswith("/schemas/playbook.json"))
    playbooks = validator(store[name], store)
    own = read(ours)
    type(validator(own, {})).check_schema(own)
    of_playbook = validator({**own, "$ref": "#/definitions/playbook"}, {})
    of_step = validator({**own, "$ref": "#/definitions/step"}, {})
    for name in files:
        document = read(name)
        told(name, playbooks, document)
        extension = document.get("playbook_extensions", {}).get(EXTENSION)
        if extension is not None:
            told(name + " (playbook)", of_playbook, extension)
        for step_id, step in document["workflow"].items():
            extension = step.get("step_extensions", {}).get(EXTENSION)
            if extension is not None:
                told(f"{name} ({step_id})", of_step, extension)


main(*sys.argv[1:])
