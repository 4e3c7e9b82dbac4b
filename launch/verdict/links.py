"""The ledger's side of the verdict: what one end of a hop offered is what the other end has.

    per link and class   offered (sender) = delivered + dropped (receiver), in every unit
    class unknown        offered (an emulator whose fault damaged headers) <= dropped (receiver)
    across the emulator  delivered + duplicated (hop in) = offered + dropped (hop out), in frames
    per connection       the link's own count of wire bytes = the kernel's
    per two ends         the ledger's wire bytes = the kernel's, over all their connections

A broken connection may lose what was under way (`peer_died`): then offered >= delivered. A connection is
broken only where the journal says that its peer crashed, fell silent or was replaced.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from launch.verdict.findings import Findings
from shared.accounting import RELAYED
from shared.ledger_rows import LedgerRow, Values

Event = Mapping[str, Any]
Link = tuple[str, str]
"""(hop, the UE's user as text, '' on 'bs-ce' and for strangers at the emulator)."""

UNITS = ("frames", "payload_bytes", "header_bytes", "wire_bytes", "channel_uses")
UNREAD = "unreachable"
"""Of a process event: the role's host was lost, and its counters and its part of the journal with it."""
BREAKING = frozenset({"crashed", "killed", "died", "lost", "fenced", "restarted", "silent", "frozen", UNREAD})
GOODBYE = "said goodbye"


def broken_links(events: Iterable[Event]) -> set[str]:
    """Ends whose connections broke: 'bs', 'ce', 'ue-3'."""
    broken: set[str] = set()
    for event in events:
        if event.get("event") != "process":
            continue
        what = event.get("what")
        if what in BREAKING or (what == "detached" and event.get("detail") != GOODBYE):
            broken |= _ends_of(event)
    return broken


def unread_ends(events: Iterable[Event]) -> set[str]:
    """Ends that nothing is known of: nothing can be compared with them."""
    unread = (e for e in events if e.get("event") == "process" and e.get("what") == UNREAD)
    return {end for event in unread for end in _ends_of(event)}


def check_links(
    rows: Sequence[LedgerRow], events: Sequence[Event], settled: bool, findings: Findings
) -> None:
    """Add findings on hops. `settled`: the run drained and every role stopped, so nothing is under way."""
    broken, unread = broken_links(events), unread_ends(events)
    sent: dict[tuple[Link, str, str, str], list[int]] = defaultdict(lambda: [0] * len(UNITS))
    taken: dict[tuple[Link, str, str, str], list[int]] = defaultdict(lambda: [0] * len(UNITS))
    for row in rows:
        key = row.key
        if key.hop not in ("bs-ce", "ce-ue"):
            continue
        name = (_link(row), key.direction, key.klass, key.purpose)
        if _is_sender(row):
            if key.outcome == "offered":
                _add(sent[name], row.values)
        elif key.outcome in ("delivered", "dropped"):
            _add(taken[name], row.values)
    for name in sorted(set(sent) | set(taken)):
        link, direction, klass, purpose = name
        offered, arrived = sent[name], taken[name]
        if offered == arrived or _is_broken(link, unread):
            continue
        loose = not settled or _is_broken(link, broken)
        if loose and (klass == "unknown" or all(a >= b for a, b in zip(offered, arrived, strict=True))):
            continue
        if klass == "unknown" and all(a <= b for a, b in zip(offered, arrived, strict=True)):
            continue  # garbage from strangers, which nobody here offered
        differ = ", ".join(
            f"{unit} {a} and {b}" for unit, a, b in zip(UNITS, offered, arrived, strict=True) if a != b
        )
        findings.fault(
            "ledger ends differ",
            f"{_name_link(link)} {direction} {klass} {purpose}: offered and arrived differ in {differ}",
        )
    _check_emulator(rows, broken, settled, findings)


def _check_emulator(rows: Sequence[LedgerRow], broken: set[str], settled: bool, findings: Findings) -> None:
    """Frames in, times receivers, are frames out or named drops."""
    if "ce" in broken or not settled:
        return  # its counters are from several lives, or it was stopped with a frame in its hands
    for direction, hop_in, hop_out in (("down", "bs-ce", "ce-ue"), ("up", "ce-ue", "bs-ce")):
        for klass in RELAYED:
            own = [
                row
                for row in rows
                if row.key.end == "ce" and row.key.direction == direction and row.key.klass == klass
            ]
            came = _frames(own, hop_in, ("delivered", "duplicated"))
            went = _frames(own, hop_out, ("offered", "dropped"))
            if came != went:
                findings.fault(
                    "emulator not conserved",
                    f"{direction} {klass}: {came} frames to deliver, {went} sent on or dropped for a reason",
                )


def check_kernel(rows: Sequence[LedgerRow], events: Sequence[Event], findings: Findings) -> int:
    """Ledger against TCP_INFO, for every connection closed in good order; how many were compared.

    The kernel's event has the link's own count of that connection beside it. The rows are a third, over all
    connections between two ends: a UE that was restarted had several. Who finds a connection closed cannot
    read it any more: then the rows may have more than the kernel.
    """
    broken = broken_links(events)
    read: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    names: dict[tuple[str, str], str] = {}
    for event in events:
        if event.get("event") != "kernel":
            continue
        link = str(event.get("link", event.get("local", "")))
        own = " or ".join(sorted(_ends_of(event)))
        ends = link.replace(":", "-").split()
        if any(end in broken for end in (own, *ends)):
            continue
        pair = own, ends[-1] if ends else ""
        sent = _number(event, "bytes_sent", 0) - _number(event, "bytes_retrans", 0)
        kernel = sent, _number(event, "bytes_received", 0)
        counted = _number(event, "ledger_sent", sent), _number(event, "ledger_received", kernel[1])
        names[pair] = f"{own} on {link}"
        read[pair].append(kernel)
        _compare(names[pair], kernel, counted, "link", True, findings)
    booked, attached = _booked(rows), _attached(events)
    for pair, kernels in read.items():
        sums = sum(sent for sent, _ in kernels), sum(received for _, received in kernels)
        all_read = len(kernels) >= attached[pair]
        _compare(names[pair], sums, booked.get(pair, (0, 0)), "ledger", all_read, findings)
    return sum(map(len, read.values()))


def _number(event: Event, name: str, default: int) -> int:
    value = event.get(name)
    return default if value is None else int(value)


def _compare(
    name: str,
    kernel: tuple[int, int],
    counted: tuple[int, int],
    whose: str,
    exact: bool,
    findings: Findings,
) -> None:
    for what, of_kernel, number in zip(("sent", "received"), kernel, counted, strict=True):
        if of_kernel > number or (exact and of_kernel != number):
            findings.fault(
                "kernel disagrees", f"{name}: kernel {what} {of_kernel} bytes, the {whose} says {number}"
            )


def _attached(events: Iterable[Event]) -> Counter[tuple[str, str]]:
    """(end, other end) -> how often they met; the emulator names whom it met, the others meet it alone."""
    found: Counter[tuple[str, str]] = Counter()
    for event in events:
        if event.get("event") != "process" or event.get("what") != "attached":
            continue
        (met,) = _ends_of(event) if event.get("role") in ("bs", "ce", "ue") else ("",)
        found[("ce", met) if event.get("role") == "ce" else (met, "ce")] += 1
    return found


def _booked(rows: Iterable[LedgerRow]) -> dict[tuple[str, str], tuple[int, int]]:
    """(end, other end) -> wire bytes that the rows of `end` have as sent and as received."""
    found: dict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in rows:
        key = row.key
        if key.hop not in ("bs-ce", "ce-ue"):
            continue
        other = "ce" if key.end != "ce" else "bs" if key.hop == "bs-ce" else f"ue-{key.users}"
        sent, received = found[key.end, other]
        if _is_sender(row):
            sent += row.values.wire_bytes * (key.outcome == "offered")
        else:
            received += row.values.wire_bytes * (key.outcome in ("delivered", "dropped"))
        found[key.end, other] = sent, received
    return found


def _link(row: LedgerRow) -> Link:
    key = row.key
    if key.hop == "bs-ce":
        return "bs-ce", ""
    return "ce-ue", key.end.removeprefix("ue-") if key.end.startswith("ue-") else key.users


def _is_sender(row: LedgerRow) -> bool:
    key = row.key
    return (
        (key.end == "bs")
        if (key.hop, key.direction) == ("bs-ce", "down")
        else (
            (key.end == "ce")
            if (key.hop, key.direction) in (("bs-ce", "up"), ("ce-ue", "down"))
            else key.end.startswith("ue-")
        )
    )


def _is_broken(link: Link, broken: set[str]) -> bool:
    hop, user = link
    return bool(broken & ({"bs", "ce"} if hop == "bs-ce" else {"ce", f"ue-{user}"}))


def _ends_of(event: Event) -> set[str]:
    """The end that a process event is about: its `peer` if it names one, the role that wrote it, or, from
    the launcher, the UE of its user; a launcher's event on another role may concern either of the two."""
    peer, role, user = event.get("peer"), event.get("role"), event.get("user", -1)
    if isinstance(peer, str) and peer:
        return {peer.replace(":", "-")}
    if role in ("bs", "ce"):
        return {str(role)}
    if role == "ue" or (isinstance(user, int) and user >= 0):
        return {f"ue-{user}"}
    named = str(event.get("detail", ""))
    return {named} if named in ("bs", "ce") or named.startswith("ue-") else {"bs", "ce"}


def _name_link(link: Link) -> str:
    return link[0] if link[0] == "bs-ce" else f"ce-ue of user {link[1] or '?'}"


def _add(sums: list[int], values: Values) -> None:
    for place, unit in enumerate(UNITS):
        sums[place] += getattr(values, unit)


def _frames(rows: Iterable[LedgerRow], hop: str, outcomes: tuple[str, ...]) -> int:
    return sum(row.values.frames for row in rows if row.key.hop == hop and row.key.outcome in outcomes)
