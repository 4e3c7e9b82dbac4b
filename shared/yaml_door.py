"""YAML from outside: plain values only, in bounded time and memory.

Of words only true and false are booleans, as in YAML 1.2: so `on` can be a key. In PyYAML's YAML 1.1 `on`,
`off`, `yes` and `no` are booleans, too.
`yaml.safe_load` raises whatever a constructor trips over (`0x_` is a ValueError, `!!bool x` a KeyError), and
a few lines of merge keys (`<<: [*a, *a]`) unfold into any number of pairs.
"""

import re
from typing import Any, Final

import yaml

from shared.outside_text import one_line

MAX_PAIRS: Final = 100_000
"""Pairs of all maps of a document, those that are merged into others included."""
MAX_FLOW_DEPTH: Final = 64
"""Of brackets and braces within each other."""


class YamlError(ValueError):
    """Not YAML, or more of it than is sane; the message is one line."""


def parse_yaml(text: str) -> Any:
    """The value of one document. Raises `YamlError` and nothing else."""
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise YamlError(one_line(error, 400)) from None
    except RecursionError:
        raise YamlError("nested too deep") from None


class _Loader(yaml.SafeLoader):
    """A safe loader that names the place of every value that it cannot make."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._pairs = 0

    def fetch_flow_collection_start(self, token: type[yaml.Token]) -> None:
        if self.flow_level == MAX_FLOW_DEPTH:  # looking ahead takes time that grows with its square
            raise yaml.scanner.ScannerError(None, None, "nested too deep", self.get_mark())
        super().fetch_flow_collection_start(token)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, ArithmeticError, LookupError, AttributeError, TypeError) as error:
            problem = f"cannot be read as {node.tag.rpartition(':')[2]} ({error})"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        self._pairs += len(node.value)
        if self._pairs > MAX_PAIRS:
            raise yaml.constructor.ConstructorError(
                None, None, f"more than {MAX_PAIRS} keys", node.start_mark
            )


_BOOLEAN: Final = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOLEAN, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
