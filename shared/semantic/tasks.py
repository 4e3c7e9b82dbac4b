"""The tasks. Each is named by an instruction that both ends know, so it costs no air.

The template is the paper's: Instruction (what to do), Input (what is given), Output (the form of the answer),
Metadata (the domain). The wording of a bundle is part of its configuration: `config.instructions`.
"""

TASKS = ("vqa", "caption", "text_classification")


def _instruction(action: str, given: str, form: str, domain: str) -> str:
    """The task template of the paper: Instruction, Input, Output, Metadata."""
    return f"Instruction {action} Input {given} Output {form} Metadata {domain}"


INSTRUCTIONS = {
    "vqa": _instruction("answer", "image question", "word", "scene"),
    "caption": _instruction("describe", "image", "text", "scene"),
    "text_classification": _instruction("classify", "text", "word", "review"),
}
