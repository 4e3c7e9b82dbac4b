"""Where the ledger counts: at which end of which hop, and what each counter is called."""

from launch.reference.drawings.svg import Sheet

_DESCRIPTION = """\
On the hop bs-ce the base station counts what it offers and what it drops before, and the emulator what is
delivered, dropped and duplicated. On the hop ce-ue the emulator counts what it offers and drops, and the
user equipment what is delivered and dropped. Uplinks are counted the same way in the other direction. On
the hop agent a role and its agent count what they offer and deliver. At a run's end the kernel's counters
of every data connection are compared with the link's."""
BS, CE, UE = 20, 330, 700


def draw() -> str:
    sheet = Sheet(900, 560, "Where the ledger counts", " ".join(_DESCRIPTION.split()))
    sheet.box(BS, 20, 180, 330, ["base station"], "zone")
    sheet.box(CE, 20, 240, 330, ["channel emulator"], "zone")
    sheet.box(UE, 20, 180, 330, ["user equipment"], "zone")
    sheet.words(265, 34, ["hop bs-ce"], "title", "middle")
    sheet.words(635, 34, ["hop ce-ue"], "title", "middle")

    sheet.words(265, 66, ["down"], "small", "middle")
    sheet.box(BS + 15, 50, 150, 40, ["offered"], "count")
    sheet.box(BS + 15, 100, 150, 40, ["dropped", "never handed over"], "count")
    sheet.arrow([(185, 76), (345, 76)])
    sheet.box(CE + 15, 50, 100, 40, ["delivered"], "count")
    sheet.box(CE + 15, 100, 100, 40, ["dropped"], "count")
    sheet.box(CE + 15, 150, 100, 40, ["duplicated"], "count")
    sheet.box(CE + 125, 50, 100, 40, ["offered"], "count")
    sheet.box(CE + 125, 100, 100, 40, ["dropped", "reason"], "count")
    sheet.words(635, 66, ["down"], "small", "middle")
    sheet.arrow([(555, 76), (715, 76)])
    sheet.box(UE + 15, 50, 150, 40, ["delivered"], "count")
    sheet.box(UE + 15, 100, 150, 40, ["dropped", "arrived, not taken"], "count")

    sheet.words(635, 246, ["up"], "small", "middle")
    sheet.box(UE + 15, 230, 150, 40, ["offered"], "count")
    sheet.box(UE + 15, 280, 150, 40, ["dropped", "never handed over"], "count")
    sheet.arrow([(715, 256), (555, 256)])
    sheet.box(CE + 125, 230, 100, 40, ["delivered"], "count")
    sheet.box(CE + 125, 280, 100, 40, ["dropped"], "count")
    sheet.box(CE + 125, 180, 100, 40, ["duplicated"], "count")
    sheet.box(CE + 15, 230, 100, 40, ["offered"], "count")
    sheet.box(CE + 15, 280, 100, 40, ["dropped", "reason"], "count")
    sheet.words(265, 246, ["up"], "small", "middle")
    sheet.arrow([(345, 256), (185, 256)])
    sheet.box(BS + 15, 230, 150, 40, ["delivered"], "count")
    sheet.box(BS + 15, 280, 150, 40, ["dropped", "arrived, not taken"], "count")
    sheet.words(265, 190, ["TCP_INFO at", "both ends"], "event", "middle")
    sheet.words(635, 190, ["TCP_INFO at", "both ends"], "event", "middle")

    sheet.box(BS, 390, 240, 66, ["every role"], "zone")
    sheet.box(BS + 15, 414, 100, 32, ["offered"], "count")
    sheet.box(BS + 125, 414, 100, 32, ["delivered"], "count")
    sheet.words(300, 416, ["hop agent"], "title", "middle")
    sheet.arrow([(260, 430), (340, 430)], "control", both=True)
    sheet.box(340, 390, 240, 66, ["its agent"], "zone")
    sheet.box(355, 414, 100, 32, ["delivered"], "count")
    sheet.box(465, 414, 100, 32, ["offered"], "count")

    sheet.words(
        20,
        490,
        [
            "on a hop:  offered (sender) = delivered + dropped (receiver), in every unit",
            "across the emulator:  delivered + duplicated (hop in) = offered + dropped (hop out), in frames",
            "on a connection:  the link's own wire bytes = the kernel's",
        ],
    )
    return sheet.svg()
