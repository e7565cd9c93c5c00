#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold JSON objects against the schemas of docs/schema.

  schema.py FOLDER-OF-SCHEMAS FILE...   one line for each file that is not right, and what is wrong with it
  schema.py --bite FOLDER FILE...       each object without one of its keys, or with one more, must be rejected
  schema.py --seen FOLDER FILE...       keys of the schemas that no object has
"""
import json
import pathlib
import sys

import jsonschema

# absent without harm: the same command prints objects with it and without it
FREE = {"error", "setup_requested"}


def load(folder):
    """command -> validator; what schemas share is put into each, so that nothing is looked up elsewhere"""
    shared = json.loads((folder / "common.json").read_text().replace('"common.json#', '"#'))
    validators = {}
    for path in folder.glob("*.json"):
        schema = json.loads(path.read_text().replace('"common.json#', '"#'))
        schema["$defs"] = shared["$defs"]
        jsonschema.Draft202012Validator.check_schema(schema)
        validators[path.stem] = jsonschema.Draft202012Validator(schema)
    return validators


def command(document):
    return str(document.get("schema")).split("/")[1] if "/" in str(document.get("schema")) else "?"


def wrong(validators, document):
    validator = validators.get(command(document))
    if not validator or command(document) == "common":
        return ["no schema for %r" % document.get("schema")]
    return ["%s: %s" % ("/".join(str(p) for p in e.absolute_path), e.message[:300])
            for e in validator.iter_errors(document)]


def complain(validators, name, document):
    return ["%s: %s" % (name, text) for text in wrong(validators, document)]


def bite(validators, name, document):
    found = []
    for key in set(document) - FREE:
        if not wrong(validators, {k: v for k, v in document.items() if k != key}):
            found.append("%s: is taken without %r" % (name, key))
    if not wrong(validators, {**document, "foreign": 1}):
        found.append("%s: is taken with a key that nobody knows" % name)
    return found


def properties(schema):
    return set(schema.get("else", schema).get("properties", {}))


def main():
    args = sys.argv[1:]
    mode = args.pop(0) if args[0].startswith("--") else ""
    validators = load(pathlib.Path(args[0]))
    documents = [(path, json.loads(pathlib.Path(path).read_text())) for path in args[1:]]
    if mode == "--seen":
        for name, validator in sorted(validators.items()):
            seen = set().union(*(set(d) for _, d in documents if command(d) == name))
            for key in sorted(properties(validator.schema) - seen - {"error"}):
                print("%s: no object has %r" % (name, key))
        return
    for name, document in documents:
        for line in (bite if mode == "--bite" else complain)(validators, pathlib.Path(name).name, document):
            print(line)


main()
