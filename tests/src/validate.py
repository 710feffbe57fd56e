"""Is the text OpenAPI, and is every answer what it says? Reads {"text": ..., "answers": [{"operation", "status", "media", "body"}]}."""

import json
import sys

from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

with open(sys.argv[1], encoding="utf-8") as file:
    given = json.load(file)
text = given["text"]
validate(text)


def absolute(part):
    """The same with the text as the place of every reference."""
    if isinstance(part, list):
        return [absolute(item) for item in part]
    if isinstance(part, dict):
        return {
            key: "urn:text" + value if key == "$ref" and value.startswith("#") else absolute(value)
            for key, value in part.items()
        }
    return part


text = absolute(text)
resource = Resource.from_contents(text, default_specification=DRAFT202012)
registry = Registry().with_resource("urn:text", resource).crawl()
operations = {
    operation["operationId"]: operation
    for methods in text["paths"].values()
    for operation in methods.values()
}
wrong = 0


def check(schema, value, what):
    global wrong
    if schema is True:
        return
    for error in Draft202012Validator(schema, registry=registry).iter_errors(value):
        wrong += 1
        place = "/".join(str(part) for part in error.absolute_path)
        print(f"{what}: at {place or 'the top'}: {error.message[:400]}")


for name, operation in operations.items():
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    for number, example in content.get("examples", {}).items():
        check(content["schema"], example["value"], f"{name}, example {number}")
    for parameter in operation.get("parameters", []):
        if "example" in parameter:
            check(parameter["schema"], parameter["example"], f"{name}, parameter {parameter['name']}")

for answer in given["answers"]:
    name, status = answer["operation"], str(answer["status"])
    what = f"{name} answered {status}"
    content = operations[name]["responses"].get(status, {}).get("content", {})
    if answer["media"] not in content:
        wrong += 1
        print(f"{what}: no such answer in the text, or not as {answer['media']}: {json.dumps(answer['body'])[:400]}")
        continue
    schema = content[answer["media"]].get("schema")
    if schema is not None:
        check(schema, answer["body"], what)
print(f"{len(given['answers'])} answers, {wrong} problems")
sys.exit(1 if wrong else 0)
