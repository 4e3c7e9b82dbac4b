"""The states of a request at the base station: `basestation.requests.TRANSITIONS`, drawn."""

from typing import Final

from launch.reference.drawings.svg import Point, Sheet

_DESCRIPTION = """\
A request begins in encoding. When it is transmitted it is receiving, when its user equipment has
everything it is decoding, and an answer makes it answered, degraded or failed. Its deadline makes it
expired, or failed where the user is away. A cache miss leads back to encoding, a request for missing
frames or a user equipment that comes back to receiving. A request that an earlier process of the base
station had sent is resumed, and then as in encoding, but an answer counts. Refusals come from encoding
and resumed."""
LEFT: Final = ("encoding", "resumed", "receiving", "decoding")
OPEN_EDGES: Final = {
    ("encoding", "receiving"): ("transmitted",),
    ("resumed", "receiving"): ("transmitted",),
    ("receiving", "decoding"): ("has_all",),
    ("decoding", "receiving"): ("misses", "ue_came_back"),
    ("receiving", "encoding"): ("cache_miss",),
    ("decoding", "encoding"): ("cache_miss",),
}
"""Between states that are not the last, with the events on them."""
ENDS: Final = {
    "answered": ("answer_ok",),
    "degraded": ("answer_degraded",),
    "failed": ("answer_failed", "encode_failed", "user_gone", "poison"),
    "expired": ("deadline",),
    "refused": ("refuse",),
}
"""Last states, and the events that lead there."""
FROM: Final = {
    "answer_ok": ("resumed", "receiving", "decoding"),
    "answer_degraded": ("resumed", "receiving", "decoding"),
    "answer_failed": ("resumed", "receiving", "decoding"),
    "encode_failed": ("encoding", "resumed"),
    "refuse": ("encoding", "resumed"),
    "deadline": LEFT,
    "user_gone": LEFT,
    "poison": LEFT,
}
"""The states that each of these events ends."""
_SAID: Final = {
    LEFT: "ends every open state:",
    ("resumed", "receiving", "decoding"): "once it was sent, by an earlier process too:",
    ("encoding", "resumed"): "before it is sent:",
}


def draw() -> str:
    sheet = Sheet(880, 560, "States of a request", " ".join(_DESCRIPTION.split()))
    place: dict[str, Point] = {
        "encoding": (60, 40), "resumed": (420, 40), "receiving": (240, 180), "decoding": (240, 320)
    }  # fmt: skip
    for name, (x, y) in place.items():
        sheet.box(x, y, 140, 46, [name])
    sheet.words(60, 28, ["admitted"])
    sheet.words(420, 28, ["a restarted base station goes on with it"])
    sheet.arrow([(150, 86), (270, 180)])
    sheet.arrow([(460, 86), (350, 180)])
    sheet.words(232, 138, OPEN_EDGES["encoding", "receiving"])
    sheet.words(412, 138, OPEN_EDGES["resumed", "receiving"])
    sheet.arrow([(290, 226), (290, 320)])
    sheet.words(284, 280, OPEN_EDGES["receiving", "decoding"], "small", "end")
    sheet.arrow([(330, 320), (330, 226)])
    sheet.words(338, 270, OPEN_EDGES["decoding", "receiving"])
    sheet.arrow([(240, 203), (110, 203), (110, 86)])
    sheet.words(118, 196, OPEN_EDGES["receiving", "encoding"])
    sheet.arrow([(240, 343), (80, 343), (80, 86)])
    sheet.words(118, 336, OPEN_EDGES["decoding", "encoding"])
    for number, (states, said) in enumerate(_SAID.items()):
        their = ", ".join(event for event, sources in FROM.items() if sources == states)
        sheet.words(560, 120 + 54 * number, [said, their])

    sheet.box(20, 420, 840, 120, ["ends: exactly one, and nothing changes it"], "zone")
    for number, (name, events) in enumerate(ENDS.items()):
        x = 40 + 163 * number
        sheet.box(x, 448, 148, 40, [name], "end")
        half = -(-len(events) // 2)
        lines = [", ".join(events[:half]), ", ".join(events[half:])] if len(events) > 1 else list(events)
        sheet.words(x + 74, 506, lines, "small", "middle")
    sheet.arrow([(310, 366), (310, 420)])
    sheet.words(320, 398, ["and from every other open state"])
    return sheet.svg()
