"""The life of a request, from top to bottom: what each role does, and the journal's events of it."""

from typing import Final

from launch.reference.drawings.svg import Sheet

_DESCRIPTION = """\
The base station admits a request, groups and encodes it, and sends symbol frames and an index map to the
channel emulator, which applies faults, fading and noise for each receiver and hands them on. The user
equipment collects frames, asks for missing ones, which are sent again, decodes, and sends its answer back
through the emulator. The base station ends the request and acknowledges the answer. Beside each step
stand the events that it writes into the journal."""
BS, CE, UE = 250, 470, 690
STEPS: Final = (
    # lane, words, events of the journal
    (BS, ("admitted or refused", "admission.py"), ("invoke",)),
    (BS, ("grouped by their window", "intake.py, encoder.py"), ("group",)),
    (BS, ("encode, compare, code", "pipeline.py"), ("encoded", "tokens")),
)


def draw() -> str:
    sheet = Sheet(900, 830, "The life of a request", " ".join(_DESCRIPTION.split()))
    for x, name in ((BS, "base station"), (CE, "channel emulator"), (UE, "user equipment")):
        sheet.box(x - 80, 16, 160, 34, [name])
        sheet.line((x, 50), (x, 784))
    for number, (x, words, events) in enumerate(STEPS):
        y = 70 + 66 * number
        sheet.box(x - 118, y, 236, 48, words)
        sheet.words(x - 130, y + 20, events, "event", "end")

    _message(sheet, 286, BS, CE, "symbol_frame, side_info")
    sheet.words(BS - 14, 290, ["sent"], "event", "end")
    sheet.box(CE - 90, 306, 180, 48, ["faults, fading, noise", "chain.py, air.py, fan_out.py"])
    sheet.words(CE, 372, ["fault"], "event", "middle")
    _message(sheet, 388, CE, UE, "a copy for each receiver")
    sheet.box(UE - 90, 404, 180, 48, ["collected", "receive.py"])
    _message(sheet, 478, UE, BS, "feedback: what is missing")
    _message(sheet, 510, BS, UE, "the same frames again")
    sheet.words(BS - 14, 514, ["resent, polled"], "event", "end")
    sheet.box(12, 456, 876, 70, [], "zone")
    sheet.words(24, 474, ["while frames are missing"])
    _message(sheet, 556, UE, BS, "feedback: complete")
    sheet.box(UE - 118, 572, 236, 48, ["equalise, reassemble, decode", "pipeline.py"])
    sheet.words(UE + 128, 592, ["ue_tokens", "ue_answer"], "event")
    _message(sheet, 666, UE, BS, "answer, until acknowledged")
    sheet.box(BS - 118, 684, 236, 48, ["the one terminal state", "endings.py"])
    sheet.words(BS - 130, 694, ["ok, degraded,", "fail, expired,", "refused"], "event", "end")
    _message(sheet, 762, BS, UE, "answer_ack")
    sheet.words(24, 812, ["in italics: events of the journal"], "event")
    return sheet.svg()


def _message(sheet: Sheet, y: float, source: float, to: float, words: str) -> None:
    """What passes the emulator on its way is drawn through."""
    sheet.arrow([(source, y), (to, y)])
    sheet.words(
        (source + to) / 2 if abs(source - to) < 300 else (CE + UE) / 2, y - 6, [words], "small", "middle"
    )
