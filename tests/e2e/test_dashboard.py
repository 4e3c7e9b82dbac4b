"""The dashboard in a real browser: of a testbed that is up, and of its run folder afterwards."""

import json
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from launch.report.markup import table
from launch.summary import bytes_and_uses
from launch.summary_table import BYTE_COLUMNS
from shared.config_file import load_config
from shared.ledger_files import read_csv
from tests.e2e.browser import Browser, browser
from tests.e2e.helpers import Workplace

pytestmark = pytest.mark.timeout(300)


def shown_bytes(page: Browser) -> str:
    return str(page.one("#bytes table").get_property("outerHTML"))


def ledger_table(numbers: dict[str, Any]) -> str:
    """The table as the ledger has it."""
    rows = [
        [str(u["user"]), f"{u['snr_db']:g}", *(f"{u[key]:,}" for _, key, _ in BYTE_COLUMNS)]
        for u in numbers["users"]
    ]
    for name, line in (("nobody", numbers["unattributed"]), ("total", numbers["totals"])):
        rows.append([name, "", *(f"{line[key]:,}" for _, _, key in BYTE_COLUMNS)])
    return table(["user", "SNR dB", *(h for h, _, _ in BYTE_COLUMNS)], rows)


def words_of(html: str) -> list[str]:
    return re.sub(r"<[^>]+>", " ", html).split()


def test_a_testbed_is_looked_at_asked_and_broken_and_its_folder_shows_the_same(real: Workplace) -> None:
    place = real
    run_dir = place.folder / "run"
    Image.new("RGB", (240, 160), (90, 40, 150)).save(place.folder / "own.png")
    up = place.run("up", "--set", "users=2", "--set", "channel.model=awgn", "--out", str(run_dir))
    assert up.returncode == 0, up.stderr
    url = up.stdout.splitlines()[-1].split()[-1]
    assert url.startswith("http://127.0.0.1:")
    with browser() as page:
        page.open(url)
        page.until(lambda: "running" in page.text("[role=status]"), "the headline")
        assert len(page.all("[data-role]")) == 4
        ask_with_own_image(page, place.folder / "own.png")
        inject_loss(page)
        look_at_both_sizes(page)
        assert page.complaints() == []
        foreign = [
            u for u in page.requested() if not re.match(r"(http|ws)://127\.0\.0\.1[:/]|data:|blob:", u)
        ]
        assert foreign == []
        status = json.loads(place.run("status", "--json").stdout)
        assert status["dashboard"] == url
        assert place.run("down").returncode == 0
        see_it_again(page, place, run_dir)
    assert place.processes() == []


def ask_with_own_image(page: Browser, image: Path) -> None:
    """The answer is that of the UE, and its request is shown with its tokens over the picture."""
    page.click(".q-tab", "ask")
    page.one("input[type=file]").send_keys(str(image))
    page.until(lambda: "own.png" in page.text("#answer"), "the upload")
    page.one("input[aria-label='question or text']").send_keys("what color is the cube?")
    page.click("button", "ask")
    page.until(lambda: page.all(".request .picture img"), "the request")
    page.until(lambda: "answered" in page.text(".request dl"), "its answer")
    assert "what color is the cube?" in page.text(".request h3")
    assert page.one(".picture svg").get_attribute("aria-label").startswith("image tokens: ")
    loaded = "return arguments[0].complete && arguments[0].naturalWidth"
    page.until(lambda: page.driver.execute_script(loaded, page.one(".picture img")), "the picture")


def inject_loss(page: Browser) -> None:
    """What is put in by the page is in the journal, and from there in the timeline."""
    page.click(".q-tab", "faults")
    assert "loss" not in page.text("#faults")
    page.click("button", "inject")
    page.until(lambda: "loss" in page.text("#injected"), "the word of the testbed")
    page.until(lambda: "loss.0" in page.text("#faults"), "the fault in the timeline")


def look_at_both_sizes(page: Browser) -> None:
    """On a phone nothing is wider than the page."""
    for width, height in ((1280, 1000), (390, 840)):
        page.resize(width, height)
        for tab in ("overview", "request", "air", "faults", "events"):
            page.click(".q-tab", tab)
            page.until(lambda name=tab: page.text(".q-tab--active").strip().lower().endswith(name), tab)
            wide = page.driver.execute_script("return document.documentElement.scrollWidth")
            assert wide <= width, f"{tab} is {wide} pixels wide at {width}"
    page.resize(1280, 1000)


def see_it_again(page: Browser, place: Workplace, run_dir: Path) -> None:
    """The finished folder shows, to the byte, what ledger.csv says, and ends when it is told."""
    again = place.start("dashboard", str(run_dir))
    assert again.stdout is not None
    url = again.stdout.readline().split()[1]
    page.open(url)
    page.until(lambda: page.text("[role=status]").startswith(("valid", "unknown", "invalid")), "the verdict")
    numbers = bytes_and_uses(read_csv(run_dir / "ledger.csv"), load_config(run_dir / "config.yaml"))
    assert words_of(shown_bytes(page)) == words_of(ledger_table(numbers))
    summary = json.loads((run_dir / "summary.json").read_text())
    assert numbers["totals"]["wire_bytes"] == summary["totals"]["wire_bytes"] > 0
    page.click(".q-tab", "faults")
    page.until(lambda: "loss.0" in page.text("#faults"), "the fault")
    again.send_signal(signal.SIGINT)
    began_s = time.monotonic()
    assert again.wait(20) == 0
    assert time.monotonic() - began_s < 10.0
    again.stdout.close()
