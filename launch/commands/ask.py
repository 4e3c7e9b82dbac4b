"""`m4sc ask`: a question to the testbed that is up."""

from pathlib import Path
from typing import Annotated

import typer

from launch.commands.common import Json, print_json

_WAIT_S = 600.0


def ask(
    text: Annotated[str, typer.Argument(help="The question, or the text to classify.")] = "",
    image: Annotated[
        Path | None, typer.Option("--image", metavar="FILE", help="PNG, JPEG, WebP or BMP.")
    ] = None,
    user: Annotated[int, typer.Option("--user", metavar="N", help="Which user asks.")] = 0,
    task: Annotated[str, typer.Option("--task", help="vqa, caption or text_classification.")] = "vqa",
    as_json: Json = False,
) -> None:
    """Put a question to the testbed; prints the answer of that user's UE.

    Example: [bold]m4sc ask --image photo.png --user 2 "what color is the large cube?"[/]
    """
    import base64

    from basestation.image_door import BadInput
    from launch.ask_door import check_question
    from launch.errors import LaunchError
    from launch.local_control import call, read_state, state_dir
    from launch.runfolder import read_config

    state = read_state(state_dir())
    data = check_question(read_config(Path(state.run_dir)), user, task, text, image)
    request = {
        "verb": "ask",
        "user": user,
        "task": task,
        "text": text,
        "image": base64.b64encode(data).decode(),
    }
    answer = call(state, request, _WAIT_S)
    if answer["state"] == "refused" and answer["reason"].startswith("bad_input"):
        raise BadInput(answer["reason"].removeprefix("bad_input: "))
    if answer["state"] not in ("answered", "degraded"):
        raise LaunchError(f"no answer: {answer['state']} ({answer['reason']})")
    if as_json:
        print_json(answer)
    else:
        typer.echo(answer["text"])
