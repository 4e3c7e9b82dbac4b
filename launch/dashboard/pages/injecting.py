"""Faults put into a running testbed by hand: buttons for processes, for messages and for the air."""

from collections.abc import Mapping
from typing import Any, Final

from nicegui import ui

from launch.chaos.entries import KINDS
from launch.dashboard.control import Control
from launch.dashboard.pages.panel import Fragment
from launch.dashboard.scene import Scene
from launch.dashboard.views.faults import faults_html
from launch.errors import LaunchError
from launch.observe.processes import ue_name
from shared.config import RunConfig
from shared.config_file import ConfigError
from shared.yaml_door import YamlError, parse_yaml

EXAMPLES: Final[Mapping[str, str]] = {
    "loss": "{fault: loss, probability: 0.3, for_s: 10}",
    "burst loss": "{fault: burst_loss, turn_bad: 0.1, turn_good: 0.3, for_s: 10}",
    "partition": "{fault: partition, for_s: 3}",
    "delay": "{fault: delay, delay_ms: 100, jitter_ms: 50, for_s: 10}",
    "corrupt header": "{fault: corrupt_header, probability: 0.3, for_s: 10}",
    "deep fade": "{fault: deep_fade, for_s: 10}",
    "jammer": "{fault: jammer, for_s: 10}",
}
"""As `m4sc chaos inject` takes them; to be changed before they are put in."""


class FaultPanel:
    """The timeline, and, where the testbed can be reached, the buttons."""

    def __init__(self, config: RunConfig, control: Control | None) -> None:
        self._control = control
        with ui.element("section").classes("panel"):
            ui.html("<h2>Faults over time</h2>", sanitize=False)
            self._timeline = Fragment()
        if control is None:
            ui.label("Faults can be injected while the testbed is up or its run goes on.")
            return
        users: dict[int | None, str] = {None: "all UEs"}
        users |= {user: f"UE {user}" for user in range(config.users)}
        with ui.element("section").classes("panel"):
            ui.html("<h2>A process</h2>", sanitize=False)
            self._processes(config)
        with ui.element("section").classes("panel"):
            ui.html("<h2>The SNR</h2>", sanitize=False)
            self._snr(users)
        with ui.element("section").classes("panel"):
            ui.html("<h2>Any fault</h2>", sanitize=False)
            self._any()
        self._said = ui.label("").props('aria-live="polite" id=injected')

    def show(self, scene: Scene) -> None:
        self._timeline.put(faults_html(scene))

    def _processes(self, config: RunConfig) -> None:
        names = ["bs", "ce", *map(ue_name, range(config.users))]
        with ui.row().classes("items-end"):
            role = ui.select(names, value=names[-1], label="process").classes("w-28")
            seconds = ui.number("s", value=3, min=0.1, max=600).classes("w-20")
            for name, timed in (("pause", True), ("kill", False), ("restart", False)):
                ui.button(
                    name,
                    on_click=lambda name=name, timed=timed: self._inject(
                        {"fault": name, "on": {"role": role.value}}
                        | ({"for_s": seconds.value} if timed else {})
                    ),
                ).props("no-caps outline")

    def _snr(self, users: Mapping[int | None, str]) -> None:
        with ui.row().classes("items-end"):
            user = ui.select(dict(users), value=None, label="whose").classes("w-28")
            drop = ui.number("dB less", value=10, min=0.1, max=60).classes("w-24")
            seconds = ui.number("s", value=10, min=0.1, max=600).classes("w-20")
            ui.button(
                "lower the SNR",
                on_click=lambda: self._inject(
                    {"fault": "snr_drop", "drop_db": drop.value, "for_s": seconds.value}
                    | ({} if user.value is None else {"on": {"users": [user.value]}})
                ),
            ).props("no-caps outline")

    def _any(self) -> None:
        with ui.row().classes("items-end"):
            example = ui.select(list(EXAMPLES), value="loss", label="example").classes("w-40")
            line = ui.input("as in a scenario, one line of YAML", value=EXAMPLES["loss"]).classes(
                "w-96 max-w-full"
            )
            example.on_value_change(lambda event: line.set_value(EXAMPLES[event.value]))
            ui.button("inject", on_click=lambda: self._inject_line(str(line.value))).props("no-caps outline")
            ui.button("heal all", on_click=self._heal).props("no-caps outline")

    async def _inject_line(self, line: str) -> None:
        try:
            entry = parse_yaml(line)
        except YamlError:
            self._said.text = f"{line}: not YAML, expected {{fault: ..., ...}}"
            return
        await self._inject(entry)

    async def _inject(self, entry: Any) -> None:
        assert self._control is not None
        if isinstance(entry, Mapping) and entry.get("fault") not in KINDS:
            # A module of one's own is code: not for everybody who can reach the page.
            self._said.text = f"fault: expected one of {', '.join(KINDS)} (a module: `m4sc chaos inject`)"
            return
        try:
            told = await self._control.inject(entry)
        except (ConfigError, LaunchError) as error:
            self._said.text = str(error)
            return
        self._said.text = " ".join(str(value) for value in told.values())

    async def _heal(self) -> None:
        assert self._control is not None
        try:
            told = await self._control.heal()
        except LaunchError as error:
            self._said.text = str(error)
            return
        self._said.text = f"{told['ended']} faults on messages ended"
