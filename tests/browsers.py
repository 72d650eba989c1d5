"""Debian's chromium, headless, for the tests of the HTML page.

Playwright drives it, because with Playwright requests, dialogs, script errors and colour schemes are ordinary events
and options; it needs no driver beside the browser, and none of the browsers that it could download.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

REQUIRED = "CPRCHECK_BROWSER_REQUIRED"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
LAPTOP, PHONE = (1280, 800), (390, 844)
HEARD = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))"
"""A change of the fragment is told to the page some time after the key."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; without one the test is skipped or, where one is required, fails."""
    found = shutil.which("chromium")
    if found is None:
        said = "no chromium on this machine; Debian's package of that name has it"
        pytest.fail(said) if os.environ.get(REQUIRED) else pytest.skip(said)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


class Reader:
    """Somebody who has a file open; `trouble` lists what must never happen to them."""

    def __init__(self, browser: Browser, file: Path, *, size: tuple[int, int] = LAPTOP, scheme: str = "light") -> None:
        self.file, self.trouble = file, list[str]()
        width, height = size
        self.context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.trouble.append(f"script error: {error}"))
        self.page.on("console", lambda said: self.trouble.append(f"console: {said.text}"))
        self.page.on("dialog", self.dialog)
        self.context.on("request", self.request)

    def request(self, request: object) -> None:
        """Only the file itself may be asked for."""
        url = request.url  # type: ignore[attr-defined]
        if url.partition("#")[0] != self.file.as_uri():
            self.trouble.append(f"request: {url}")

    def dialog(self, dialog: object) -> None:
        """No script of a model may open one."""
        self.trouble.append("dialog")
        dialog.dismiss()  # type: ignore[attr-defined]

    def open(self, fragment: str = "") -> Page:
        """Open the file, at a place in it."""
        self.page.goto("about:blank")
        self.page.goto(self.file.as_uri() + fragment)
        return self.page

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, and wait until the page has heard of a new address."""
        for key in keys:
            self.page.keyboard.press(key)
            self.page.evaluate(HEARD)

    def place(self) -> str:
        """The fragment in the address bar."""
        return str(self.page.evaluate("location.hash"))

    def steps(self) -> list[str]:
        """The step that is marked as the current one; a list, so that two would be noticed."""
        return self.page.locator("#steps [aria-current=step]").all_inner_texts()

    def changed(self) -> list[tuple[str, str, str]]:
        """(slot, value, what it was) of each row of the state table that is marked as changed."""
        rows = self.page.locator("#slots tr.changed").all()
        return [tuple(text.strip() for text in row.locator("th, td").all_inner_texts()) for row in rows]  # type: ignore
