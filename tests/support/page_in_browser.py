"""Start the app in a process of its own and open it in a real browser, headless Chromium."""

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

HOST = "127.0.0.1"
# a browser left alone looks for updates and the like
OPTIONS = [
    "--headless=new",
    "--no-sandbox",  # as root, the sandbox does not start
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--lang=ko-KR",
    "--window-size=1200,900",
]
# runs before the app: writes down every host that it looks for, and hides all malmoi but what the app carries
WATCH = """
import sys

def note(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    with open({hosts!r}, "a") as file:
        print(host, file=file)

sys.addaudithook(note)
if {hidden!r}:
    sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in str(finder)]
    for name in ("datasets", "evaluate", "seqeval", "torchcrf"):
        sys.modules[name] = None
"""


def chromium() -> tuple[str, str]:
    """Return the paths of Chromium and of its driver.

    Without them the test is skipped, unless `MALMOI_BROWSER_REQUIRED` is set, as it is in CI.
    """
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        missing = "Chromium and ChromeDriver are not installed (Debian: chromium, chromium-driver)."
        if os.environ.get("MALMOI_BROWSER_REQUIRED"):
            pytest.fail(missing)
        pytest.skip(missing)
    return browser, driver


@contextmanager
def running(
    command: Sequence[str | Path], *, port: int, folder: Path, logs: Path, hidden: bool = False
) -> Iterator[str]:
    """Run a command that serves a page, and give the address of the page. It must not ask anyone but this machine.

    Args:
        command: The command.
        port: Where it serves.
        folder: Its working directory.
        logs: An empty folder for what it writes.
        hidden: Whether it is to do without the installed malmoi.
    """
    hosts = logs / "hosts.txt"
    (logs / "sitecustomize.py").write_text(WATCH.format(hosts=str(hosts), hidden=hidden))
    environment = {**os.environ, "PYTHONPATH": str(logs), "GRADIO_SERVER_PORT": str(port)}
    # the app itself has to see to it that nothing is sent elsewhere
    for name in ("HF_HUB_OFFLINE", "GRADIO_ANALYTICS_ENABLED"):
        environment.pop(name, None)
    with (logs / "output.txt").open("w") as output:
        process = subprocess.Popen(
            list(map(str, command)), cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://{HOST}:{port}/"
            _wait(address, process, logs / "output.txt")
            yield address
        finally:
            process.terminate()
            process.wait(timeout=30)
    asked = set(hosts.read_text().split())
    assert asked <= {HOST, "localhost", "::1", "0.0.0.0"}, asked


def _wait(address: str, process: subprocess.Popen, output: Path) -> None:
    """Wait until there is a page, for long, as the machine may be busy."""
    end = time.monotonic() + 300
    while time.monotonic() < end:
        assert process.poll() is None, output.read_text()
        try:
            with urllib.request.urlopen(address, timeout=30):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.5)
    pytest.fail(f"No page after five minutes: {output.read_text()}")


class Page:
    """The page in a browser."""

    def __init__(self, driver: Chrome, address: str):
        self.driver = driver
        self.driver.get(address)
        self.wait = WebDriverWait(driver, 120)

    def show(self, tab: str) -> None:
        """Click on a tab."""
        self.wait.until(lambda driver: tab in [button.text for button in self.tabs()])
        next(button for button in self.tabs() if button.text == tab).click()

    def tabs(self) -> list[WebElement]:
        """Return the tabs."""
        return self.driver.find_elements(By.CSS_SELECTOR, "button[role=tab]")

    def field(self, name: str) -> WebElement:
        """Return the field for a text in a tab, when it is there."""
        return self.wait.until(
            lambda driver: next((field for field in self.all(f"#{name}-text textarea") if field.is_displayed()), None)
        )

    def ask(self, name: str, text: str) -> WebElement:
        """Type a text, click on the button and return the answers when they are there."""
        field = self.field(name)
        field.clear()
        field.send_keys(text)
        return self.answer(name)

    def answer(self, name: str) -> WebElement:
        """Click on the button and return the answers when they are there."""
        # a new answer takes the place of this
        self.driver.execute_script(
            "document.querySelector(arguments[0]).classList.add('stale')", f"#{name}-answers [role=status]"
        )
        self.driver.find_element(By.ID, f"{name}-button").click()
        return self.wait.until(lambda driver: next(iter(self.all(f"#{name}-answers [role=status]:not(.stale)")), None))

    def all(self, selector: str) -> list[WebElement]:
        """Return all elements that match a selector."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def requested_hosts(self) -> set[str]:
        """Return the hosts on a network that were asked for anything since the last call."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = [
            urlsplit(message["params"]["request"]["url"])
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]
        return {str(url.hostname) for url in urls if url.scheme in ("http", "https", "ws", "wss")}


@contextmanager
def browser(profile: Path) -> Iterator[Chrome]:
    """Start a browser with an empty profile."""
    binary, driver_binary = chromium()
    options = ChromeOptions()
    options.binary_location = binary
    for option in [*OPTIONS, f"--user-data-dir={profile}"]:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = Chrome(options=options, service=Service(driver_binary))
    try:
        yield driver
    finally:
        driver.quit()
