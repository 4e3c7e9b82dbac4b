"""A run's numbers for Prometheus. Bytes and drops are the ledger's, all else is the journal's.

Names and units follow Prometheus' conventions: base units, `_total` for what only grows. A user's public
bytes are its share of what was sent once; user 'none' is the session between base station and emulator.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from launch.accounts import BYTES_OF, USES_OF
from launch.observe.processes import UP
from launch.observe.watch import RunWatch

_BYTES: Final = {klass: column for klass, column in BYTES_OF.items() if klass != "session"}


class RunCollector:
    """What a `CollectorRegistry` asks at each scrape, of the run as it was last looked at."""

    def __init__(self, watch: RunWatch) -> None:
        self._watch = watch

    def collect(self) -> Iterator[Metric]:
        yield self._info()
        yield from self._bytes()
        yield from self._drops()
        yield from self._requests()
        yield from self._latency()
        yield from self._air()
        yield from self._well()

    def _info(self) -> Metric:
        config, run_id = self._watch.config, self._watch.run_dir.name
        labels = {"run": run_id, "scheme": config.scheme, "bundle": config.bundle, "seed": str(config.seed)}
        return InfoMetricFamily("m4sc_run", "The run that is looked at.", labels)

    def _bytes(self) -> Iterator[Metric]:
        numbers = self._watch.numbers
        sent = CounterMetricFamily(
            "m4sc_wire_bytes", "Bytes on the wire, framing included, by who pays.", labels=["user", "class"]
        )
        resent = CounterMetricFamily(
            "m4sc_retransmitted_bytes", "Of the wire bytes, those of retransmissions.", labels=["user"]
        )
        uses = CounterMetricFamily(
            "m4sc_channel_uses", "Channel uses (complex symbols) of the downlink.", labels=["user", "class"]
        )
        lines = [(str(line["user"]), line) for line in numbers["users"]]
        for user, line in [*lines, ("none", numbers["unattributed"])]:
            for klass, key in _BYTES.items():
                sent.add_metric([user, klass], line[_own(key, line)])
            for klass, key in USES_OF.items():
                uses.add_metric([user, klass], line[_own(key, line)])
            resent.add_metric([user], line["retransmitted_bytes"])
        hops = CounterMetricFamily(
            "m4sc_link_bytes",
            "Bytes that each hop carried, relayed ones included.",
            labels=["hop", "direction", "class"],
        )
        for line in numbers["links"]:
            hops.add_metric([line["hop"], line["direction"], line["class"]], line["wire_bytes"])
        yield from (sent, resent, uses, hops)

    def _drops(self) -> Iterator[Metric]:
        labels = ["hop", "end", "direction", "class", "reason"]
        messages = CounterMetricFamily(
            "m4sc_dropped_messages", "Messages that went no further.", labels=labels
        )
        size = CounterMetricFamily("m4sc_dropped_bytes", "Their bytes on the wire.", labels=labels)
        for line in self._watch.numbers["drops"]:
            names = [line[label] for label in labels]
            messages.add_metric(names, line["frames"])
            size.add_metric(names, line["wire_bytes"])
        yield from (messages, size)

    def _requests(self) -> Iterator[Metric]:
        ended = CounterMetricFamily("m4sc_requests", "Requests that ended, by state.", labels=["state"])
        for state, count in self._watch.state.requests.counts().items():
            if state != "open":
                ended.add_metric([state], count)
        open_ = GaugeMetricFamily(
            "m4sc_open_requests",
            "Requests under way, by where they are; 'waiting' is the queue.",
            labels=["phase"],
        )
        for phase, count in self._watch.state.requests.phases().items():
            open_.add_metric([phase], count)
        yield from (ended, open_)

    def _latency(self) -> Iterator[Metric]:
        state = self._watch.state
        whole = HistogramMetricFamily("m4sc_request_latency_seconds", "From admission to the answer.")
        whole.add_metric([], state.latency.cumulative(), state.latency.sum_s)
        stages = HistogramMetricFamily("m4sc_stage_latency_seconds", "Time in each stage.", labels=["stage"])
        for stage, histogram in state.stages.items():
            stages.add_metric([stage], histogram.cumulative(), histogram.sum_s)
        yield from (whole, stages)

    def _air(self) -> Iterator[Metric]:
        average = GaugeMetricFamily("m4sc_snr_db", "Average Es/N0 of a user's channel.", labels=["user"])
        received = GaugeMetricFamily(
            "m4sc_received_snr_db", "Es/N0 that the last shown frame was received with.", labels=["user"]
        )
        for point in {point.user: point for point in self._watch.state.air}.values():
            if point.snr_db is not None:
                average.add_metric([str(point.user)], point.snr_db)
            if point.received_db is not None:
                received.add_metric([str(point.user)], point.received_db)
        yield from (average, received)

    def _well(self) -> Iterator[Metric]:
        state = self._watch.state
        up = GaugeMetricFamily("m4sc_process_up", "Whether a role's process is up.", labels=["process"])
        for name in state.processes:
            up.add_metric([name], float(state.processes.state_of(name) == UP))
        active = sum(fault["begin_s"] is not None and fault["end_s"] is None for fault in state.faults())
        yield from (up, GaugeMetricFamily("m4sc_faults_active", "Faults that go on.", value=active))


def _own(key: str, line: Mapping[str, object]) -> str:
    """Of a user's line the column of its share, where there is one."""
    return f"{key}_share" if f"{key}_share" in line else key


def exposition(watch: RunWatch) -> bytes:
    """What `/metrics` answers, in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(RunCollector(watch))
    return generate_latest(registry)
