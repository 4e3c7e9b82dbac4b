"""A headless Chromium (Debian's) that can reach this machine only, and what it asked for on the way."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

WAIT_S = 60.0


class Browser:
    """One window."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.get(url)

    def resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def all(self, selector: str) -> list[WebElement]:
        return list(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def one(self, selector: str) -> WebElement:
        """Waited for."""
        return self.until(lambda: next(iter(self.all(selector)), None), selector)

    def text(self, selector: str) -> str:
        """All of it, also what is scrolled away; read at once, as the page may put others in their place."""
        found = "return Array.from(document.querySelectorAll(arguments[0]), e => e.textContent).join(' ')"
        return str(self.driver.execute_script(found, selector))

    def click(self, selector: str, word: str) -> None:
        """The element whose text is `word`."""

        def named() -> WebElement | None:
            return next((e for e in self.all(selector) if _words(e) == word), None)

        found = self.until(named, word)
        self.driver.execute_script("arguments[0].click()", found)

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """The first true value; fails after a minute and says what was waited for.

        Asked again where an element was replaced between its being found and read.
        """
        wait = WebDriverWait(self.driver, WAIT_S, 0.1, [StaleElementReferenceException])
        return wait.until(lambda _: condition(), f"waited for {what}")

    def requested(self) -> list[str]:
        """Every address that was asked for, also in vain."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        of = {"Network.requestWillBeSent": "request", "Network.webSocketCreated": ""}
        said = [(message["params"], of[message["method"]]) for message in messages if message["method"] in of]
        return [str((params[key] if key else params)["url"]) for params, key in said]

    def complaints(self) -> list[str]:
        """Errors that the page itself made."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


def _words(element: WebElement) -> str:
    """Also of what is scrolled out of sight."""
    return str(element.get_property("textContent")).strip().lower()


@contextmanager
def browser() -> Iterator[Browser]:
    """Skips the test where there is no Chromium (`make browser` installs it), but not under CI."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        assert not os.environ.get("CI"), "no chromium and chromedriver (Debian: chromium, chromium-driver)"
        pytest.skip("no chromium and chromedriver: `make browser` installs Debian's, as root")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,1000"):
        options.add_argument(argument)
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    window = webdriver.Chrome(options, Service(driver))
    try:
        yield Browser(window)
    finally:
        window.quit()
