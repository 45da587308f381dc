"""Published API descriptions as JSON schemas, for checking what the embedded platform answers.

They are not part of this repository: the environment variable `GATEHOUSE_API_DESCRIPTIONS` or the folder
`shared/specs` beside the checkout leads to them, and tests that need them are skipped where they are absent.
"""

import copy
import functools
import json
import os
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

FOLDER = Path(
    os.environ.get("GATEHOUSE_API_DESCRIPTIONS") or Path(__file__).resolve().parents[3] / "shared" / "specs"
)

needs_descriptions = pytest.mark.skipif(
    not FOLDER.is_dir(),
    reason=f"no API descriptions: neither GATEHOUSE_API_DESCRIPTIONS nor {FOLDER} is there",
)


def check(value, schema):
    """Fail with every place where `value` differs from `schema`, unknown fields included."""
    errors = sorted(jsonschema.Draft7Validator(schema).iter_errors(value), key=lambda each: each.json_path)
    assert not errors, "\n".join(f"{error.json_path}: {error.message[:300]}" for error in errors)


_INLINED = {
    "v1alpha1KustomizeResId": "v1alpha1KustomizeGvk",
    "v1alpha1KustomizeSelector": "v1alpha1KustomizeResId",
    "v1alpha1ResourceNode": "v1alpha1ResourceRef",
}


@functools.cache
def swagger(name):
    """A Swagger 2.0 file whose definitions refuse fields they do not name."""
    document = json.loads((FOLDER / f"{name}-swagger.json").read_text())
    definitions = document["definitions"]
    # The file does not know that Go writes the fields of these structures in the place of the structure.
    for outer, inner in _INLINED.items():
        if outer in definitions:
            definitions[outer].pop("allOf", None)
            definitions[outer]["properties"] |= definitions[inner]["properties"]
    if "v1JSON" in definitions:
        definitions["v1JSON"] = {}
    document["definitions"] = {key: _strict(each) for key, each in definitions.items()}
    return document


def answer_of(name, method, path):
    """The schema of a successful answer; `path` is the template, such as `/api/v1/applications/{name}`."""
    document = swagger(name)
    answer = document["paths"][path][method.lower()]["responses"]["200"]["schema"]
    return {**answer, "definitions": document["definitions"]}


@functools.cache
def kubernetes_kinds():
    """(group, version, kind) to the schema of its objects."""
    definitions = swagger("kubernetes")["definitions"]
    return {
        (gvk["group"], gvk["version"], gvk["kind"]): {
            "$ref": f"#/definitions/{name}",
            "definitions": definitions,
        }
        for name, definition in definitions.items()
        for gvk in definition.get("x-kubernetes-group-version-kind", [])
    }


@functools.cache
def argocd_kind(plural):
    """The OpenAPI v3 schema of one of Argo CD's custom resources."""
    definition = yaml.safe_load((FOLDER / "argocd-crds" / f"{plural}.yaml").read_text())
    schema = _strict(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}
    return schema


def _strict(schema):
    """As an API server applies a description: unknown fields are errors, and some types have two forms."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    # What stands below `properties` are names of fields, which may be words of JSON Schema, too.
    schema = {
        key: {name: _strict(field) for name, field in each.items()} if key == "properties" else _strict(each)
        for key, each in schema.items()
    }
    if schema.get("format") == "int-or-string" or schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    if schema.get("type") == "string" and schema.get("format") == "int64":
        schema["type"] = [
            "integer",
            "string",
        ]  # grpc-gateway writes these as strings, Argo CD's own JSON does not
    if isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema.setdefault("additionalProperties", False)
    return schema


@functools.cache
def coder():
    """Coder's description: (method, path) to the schema of the first successful answer that has one."""
    document = json.loads((FOLDER / "coder-api.json").read_text())
    schemas = {name: _coder_schema(each) for name, each in document["schemas"].items()}
    answers = {}
    for endpoint in document["endpoints"]:
        shape = next((each for each in endpoint["responses"].values() if each), "any")
        path = endpoint["path"] if endpoint["path"].startswith("/api/") else "/api/v2" + endpoint["path"]
        answers[endpoint["method"], re.sub(r"\{[^}]+\}", "{}", path)] = {
            **_coder_type(shape),
            "definitions": schemas,
        }
    return answers


def coder_schema(name):
    """One of Coder's named schemas."""
    return {"$ref": f"#/definitions/{name}", "definitions": next(iter(coder().values()))["definitions"]}


def _coder_schema(schema):
    if schema.get("enum"):
        return {"enum": [*schema["enum"], None]}
    if "fields" not in schema:
        return {}
    properties = {name: _coder_type(field["type"]) for name, field in schema["fields"].items()}
    for name, field in schema["fields"].items():
        if field.get("enum"):
            properties[name] = {"enum": [*field["enum"], None]}
    required = [name for name, field in schema["fields"].items() if field["required"]]
    return {
        "type": ["object", "null"],
        "properties": properties,
        "required": required,
        "additionalProperties": False if properties else {},
    }


def _coder_type(text):
    if text.startswith("array of "):
        return {"type": ["array", "null"], "items": _coder_type(text.removeprefix("array of "))}
    if text in ("string", "integer", "number", "boolean", "object"):
        return {"type": [text, "null"]}
    if text == "uuid.NullUUID":
        return {"type": ["string", "null", "object"]}
    if "." in text and not text.startswith(("regexp.", "serpent.", "url.", "key.")):
        return {"$ref": f"#/definitions/{text}"}
    return {}


def without_type(item):
    """A copy that lacks what the description of a list's items does not carry."""
    return {key: each for key, each in copy.deepcopy(item).items() if key not in ("apiVersion", "kind")}


def coder_as_swagger():
    """Coder's description in the form in which Coder itself publishes it, Swagger 2."""
    document = json.loads((FOLDER / "coder-api.json").read_text())
    paths = {}
    for endpoint in document["endpoints"]:
        path = endpoint["path"].removeprefix("/api/v2")
        paths.setdefault(path, {})[endpoint["method"].lower()] = {}
    return {"swagger": "2.0", "basePath": "/api/v2", "paths": paths}
