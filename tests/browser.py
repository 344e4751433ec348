"""A headless Chromium that looks at our pages, where this machine has one."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pypdf
import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",  # it runs as root in a pipeline, and sees nothing but our own pages
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """Gives the path of a Chromium; skips the test where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"there is none of {', '.join(NAMES)}")
    return found


@contextmanager
def browser() -> Iterator[Any]:
    """Starts a browser, and ends it; skips the test where there is none, or no driver for it."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = chromium()
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield started
        started.close()


def opened(started: Any, path: Path, place: str = "", **context: Any) -> Any:
    """Opens a page in a context of its own; whatever it logs, or asks of a network, fails the test."""
    page = started.new_context(**context).new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith("file:") else told.append(request.url))
    page.goto(path.resolve().as_uri() + place)
    assert told == []
    return page


def paper(page: Any) -> list[str]:
    """Prints a page, and gives the text of each sheet."""
    printed = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    assert {tuple(round(float(side)) for side in sheet.mediabox[2:]) for sheet in printed.pages} == {(595, 842)}
    return [" ".join(sheet.extract_text().split()) for sheet in printed.pages]


def sticking_out(page: Any) -> list[str]:
    """Gives what is wider than the page, or is cut by it: all but what scrolls within its own box. All is opened."""
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    found: list[str] = page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth, all = [...document.body.querySelectorAll("*")];
          const scrolls = (one) => one && (["auto", "scroll"].includes(getComputedStyle(one).overflowX) ||
            scrolls(one.parentElement));
          const hidden = (one) => one.closest(".visually-hidden, .skip, svg");
          const wide = all.filter((one) => one.checkVisibility() && !hidden(one) && !scrolls(one.parentElement) &&
            (one.getBoundingClientRect().right > width + 1 || one.getBoundingClientRect().left < -1));
          const told = (one) => `${one.tagName} ${one.className} ${one.textContent.slice(0, 40)}`;
          return [...(document.documentElement.scrollWidth > width ? ["the page"] : []), ...wide.map(told)];
        }"""
    )
    return found
