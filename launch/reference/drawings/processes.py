"""Which processes a run has, and the links between them."""

from launch.reference.drawings.svg import Sheet

_DESCRIPTION = """\
The command starts the supervisor, which drives Ray. On each host an agent actor has roles forked by a
forkserver. Three kinds of roles, base station, channel emulator and user equipments, are processes of
their own. Data goes from the base station through the emulator to the user equipments and back. Every
role has a control link to its agent."""


def draw() -> str:
    sheet = Sheet(880, 500, "Processes and links of a run", " ".join(_DESCRIPTION.split()))
    sheet.box(20, 20, 150, 56, ["m4sc", "the command"])
    sheet.arrow([(170, 48), (230, 48)], "control")
    sheet.box(230, 20, 190, 56, ["supervisor", "Ray's driver, the testbed"])
    sheet.arrow([(420, 48), (480, 48)], "control")
    sheet.box(480, 20, 190, 56, ["agent", "a Ray actor, one a host"])
    sheet.arrow([(670, 48), (720, 48)], "control")
    sheet.box(720, 20, 140, 56, ["forkserver", "one a host"])
    sheet.words(735, 98, ["forks the roles"])

    sheet.box(20, 170, 840, 230, [], "zone")
    sheet.words(40, 386, ["roles: a process each"])
    sheet.box(
        50, 240, 190, 90, ["base station", "encodes, compares,", "sends; owns the end", "of every request"]
    )
    sheet.box(345, 240, 190, 90, ["channel emulator", "the air: fading, noise,", "faults; sessions"])
    sheet.box(640, 200, 190, 66, ["user equipment 0", "decodes and answers"])
    sheet.box(640, 310, 190, 66, ["user equipment N", "decodes and answers"])
    sheet.arrow([(240, 285), (345, 285)], "data", both=True)
    sheet.arrow([(535, 270), (640, 236)], "data", both=True)
    sheet.arrow([(535, 300), (640, 340)], "data", both=True)
    sheet.words(292, 274, ["bs-ce"], "small", "middle")
    sheet.words(580, 240, ["ce-ue"], "small", "middle")
    for x, y in ((145, 240), (440, 240), (735, 200)):
        sheet.arrow([(575, 76), (575, 130), (x, 130), (x, y)], "control", both=True)

    sheet.line((40, 440), (100, 440), "data")
    sheet.words(110, 444, ["data plane: ZeroMQ, counted at both ends of each hop, compared with the kernel"])
    sheet.line((40, 470), (100, 470), "control")
    sheet.words(110, 474, ["control plane: orders, readiness, counters, questions; no fault meets it"])
    return sheet.svg()
