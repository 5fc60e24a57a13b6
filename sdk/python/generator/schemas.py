"""Schemas of the description as types: objects become TypedDicts, choices become unions and literals."""

from __future__ import annotations

import keyword
import re
import textwrap
from typing import Any

Schema = dict[str, Any]

WIDTH = 100
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
HEAD = '''"""What goes into the local API and comes out of it, with the names of its description."""

from __future__ import annotations

from typing import {names}

'''
IMPORTED = ("Any", "Literal", "TypeAlias", "TypedDict", "Union")


def types_module(document: Schema) -> str:
    """The text of `types.py`."""
    return Types(document["components"]["schemas"]).text()


def name_of(reference: str) -> str:
    return reference.rsplit("/", 1)[-1]


def comment(text: str, indent: str = "", mark: str = "#: ") -> str:
    """A text as comment lines."""
    lines = textwrap.wrap(" ".join(text.split()), WIDTH - len(indent) - len(mark))
    return "".join(f"{indent}{mark}{line}\n" for line in lines)


def docstring(text: str, indent: str = "    ") -> str:
    """A text as a docstring."""
    lines = textwrap.wrap(" ".join(text.replace("\\", "\\\\").split()), WIDTH - len(indent) - 6)
    if len(lines) < 2:
        return f'{indent}"""{"".join(lines)}"""\n'
    body = "".join(f"{indent}{line}\n" for line in lines[1:])
    return f'{indent}"""{lines[0]}\n{body}{indent}"""\n'


class Types:
    """Schemas, each written after those that it inherits from."""

    def __init__(self, schemas: dict[str, Schema]) -> None:
        self.schemas = schemas
        self.written: dict[str, str] = {}

    def text(self) -> str:
        for name in self.schemas:
            self.write(name)
        body = "\n\n".join(self.written.values())
        names = [name for name in IMPORTED if re.search(rf"\b{name}\b", body)]
        return HEAD.replace("{names}", ", ".join(names)) + body

    def write(self, name: str) -> None:
        """Writes the schema of this name, unless it is written."""
        if name not in self.written:
            self.define(name, self.schemas[name])

    def define(self, name: str, schema: Schema) -> None:
        if "allOf" in schema:
            self.define_whole(name, schema)
        elif "oneOf" in schema:
            self.define_choice(name, schema)
        elif schema.get("type") == "object" and "properties" in schema:
            self.define_object(name, [], schema, schema.get("description", ""))
        else:
            doc = comment(schema.get("description", ""))
            self.written[name] = f"{doc}{name}: TypeAlias = {self.type_of(schema, name)}\n"

    def define_whole(self, name: str, schema: Schema) -> None:
        """An object that is others and some properties of its own."""
        bases = [name_of(part["$ref"]) for part in schema["allOf"] if "$ref" in part]
        for base in bases:
            self.write(base)
        own: Schema = {"properties": {}, "required": []}
        for part in schema["allOf"]:
            own["properties"].update(part.get("properties", {}))
            own["required"] += part.get("required", [])
        self.define_object(name, bases, own, schema.get("description", ""))

    def define_choice(self, name: str, schema: Schema) -> None:
        """One of several: objects among them get a name of their own, after the word that tells them apart."""
        members = [self.type_of(part, name + variant_of(part)) for part in schema["oneOf"]]
        quoted = ", ".join(f"'{member}'" for member in members)
        doc = comment(schema.get("description", ""))
        self.written[name] = f"{doc}{name}: TypeAlias = Union[{quoted}]\n"

    def define_object(self, name: str, bases: list[str], schema: Schema, doc: str) -> None:
        """Two classes where some properties may be absent: Python 3.10 has no `NotRequired`."""
        required = [key for key in schema["properties"] if key in schema.get("required", [])]
        optional = [key for key in schema["properties"] if key not in required]
        parents = bases or ["TypedDict"]
        text = ""
        if required and optional:
            text = self.class_of(f"_{name}", parents, schema, required, "", True) + "\n\n"
            parents = [f"_{name}"]
        text += self.class_of(name, parents, schema, optional or required, doc, not optional)
        self.written[name] = text

    def class_of(self, name: str, bases: list[str], schema: Schema, keys: list[str], doc: str, total: bool) -> str:
        properties = schema["properties"]
        kinds = {key: self.type_of(properties[key], name.lstrip("_") + camel(key)) for key in keys}
        if any(keyword.iskeyword(key) or not key.isidentifier() for key in keys):
            fields = ", ".join(f"\"{key}\": '{kind}'" for key, kind in kinds.items())
            assert total and bases == ["TypedDict"], f"{name} has names that only a call can give, and bases"
            return f'{name} = TypedDict("{name}", {{{fields}}})\n'
        lines = [
            comment(properties[key].get("description", ""), "    ") + f"    {key}: {kind}\n"
            for key, kind in kinds.items()
        ]
        arguments = bases if total else [*bases, "total=False"]
        body = docstring(doc) + "\n" if doc and lines else docstring(doc) if doc else ""
        return f"class {name}({', '.join(arguments)}):\n{body}{''.join(lines) or '' if body or lines else '    pass'}"

    def type_of(self, schema: Schema, name: str) -> str:
        """How a schema is written where it is used; `name` is for an object that has none."""
        if "$ref" in schema:
            return name_of(schema["$ref"])
        if "enum" in schema:
            return f"Literal[{', '.join(json_literal(word) for word in schema['enum'])}]"
        if "properties" in schema or "allOf" in schema or "oneOf" in schema:
            self.define(name, schema)
            return name
        kind = schema.get("type")
        if isinstance(kind, list):
            return " | ".join(self.type_of({**schema, "type": one}, name) for one in kind)
        if kind == "array":
            return self.type_of_array(schema, name)
        if kind == "object":
            inner = schema.get("additionalProperties")
            return f"dict[str, {self.type_of(inner, name) if isinstance(inner, dict) else 'Any'}]"
        return PLAIN.get(str(kind), "Any")

    def type_of_array(self, schema: Schema, name: str) -> str:
        if "prefixItems" in schema:
            return f"tuple[{', '.join(self.type_of(item, name) for item in schema['prefixItems'])}]"
        return f"list[{self.type_of(schema.get('items', {}), name + 'Item')}]"


def json_literal(word: Any) -> str:
    return repr(word).replace("'", '"') if isinstance(word, str) else repr(word)


def camel(key: str) -> str:
    return "".join(part.capitalize() for part in key.replace("-", "_").split("_"))


def variant_of(schema: Schema) -> str:
    """The word that tells a member of a choice apart: the only value of one of its properties."""
    for part in [schema, *schema.get("allOf", [])]:
        for value in part.get("properties", {}).values():
            if len(value.get("enum", [])) == 1:
                return camel(value["enum"][0])
    return ""
