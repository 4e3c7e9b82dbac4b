"""The process that fuzzes one target: `python -m tests.fuzz.child TARGET LIBFUZZER-ARGUMENTS`.

Imports nothing of the project itself, so that all of it is instrumented when the target imports it.
"""

import sys

import atheris

INSTRUMENTED = ["tests.fuzz", "shared", "basestation", "userequipment", "launch", "yaml", "PIL"]


def main() -> None:
    name = sys.argv.pop(1)
    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz import catalogue

        target = catalogue.load(name)
    atheris.Setup(sys.argv, target.one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
