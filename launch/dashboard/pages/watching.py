"""The parts of the page that only show: overview, air, events."""

import time

from nicegui import ui

from launch.dashboard.pages.panel import Chart, Fragment
from launch.dashboard.scene import Scene
from launch.dashboard.views import charts
from launch.dashboard.views.tables import bytes_html, counts_html, drops_html, events_html
from launch.dashboard.views.topology import Rates, topology_html


class Overview:
    """Who is there, what flows, what each user has cost."""

    def __init__(self) -> None:
        self._rates = Rates()
        self._counts = Fragment()
        self._topology = Fragment()
        with ui.element("div").classes("two"):
            self._bytes = Chart("wire bytes per user, by class")
            self._uses = Chart("channel uses per user, by class")
        with ui.element("section").classes("panel"):
            ui.html("<h2>Bytes and channel uses per user</h2>", sanitize=False)
            self._table = Fragment()

    def show(self, scene: Scene) -> None:
        self._rates.update(scene.watch.numbers, time.monotonic())
        self._counts.put(counts_html(scene))
        self._topology.put(topology_html(scene, self._rates))
        self._bytes.put(charts.bytes_chart(scene))
        self._uses.put(charts.uses_chart(scene))
        self._table.put(bytes_html(scene))


class AirPanel:
    """SNR, latency and channel uses over time."""

    def __init__(self) -> None:
        with ui.element("div").classes("two"):
            self._snr = Chart("received SNR over time, by user")
            self._latency = Chart("latency over time")
            self._progress = Chart("channel uses over time")

    def show(self, scene: Scene) -> None:
        self._snr.put(charts.snr_chart(scene))
        self._latency.put(charts.latency_chart(scene))
        self._progress.put(charts.progress_chart(scene))


class Events:
    """What happened, and what was dropped."""

    def __init__(self) -> None:
        with ui.element("section").classes("panel"):
            ui.html("<h2>Dropped messages, by place and reason</h2>", sanitize=False)
            self._drops = Fragment()
        with ui.element("section").classes("panel"):
            ui.html("<h2>Events, the newest first</h2>", sanitize=False)
            self._events = Fragment()

    def show(self, scene: Scene) -> None:
        self._drops.put(drops_html(scene))
        self._events.put(events_html(scene))
