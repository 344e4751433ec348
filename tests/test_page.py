"""The report in a browser: accessible, searchable, linkable, and short on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rampcheck.comparison import differences, history_pages, pages, releases
from rampcheck.comparison.saved import Saved
from rampcheck.report import html
from rampcheck.report.files import write_reports
from rampcheck.report.signatures import Signer, split
from tests import samples
from tests.browser import browser, opened, paper, sticking_out
from tests.runs import rampcheck

pytestmark = pytest.mark.xdist_group("browser")  # one process starts the browser, and makes the runs

Sample = Callable[[], dict[str, Any]]

EVERY = [
    samples.results,
    samples.conformant,
    samples.gaps,
    samples.partial,
    samples.incomplete,
    samples.inconclusive,
    samples.examples,
    samples.consequences,
]
DESK = {"width": 1280, "height": 900}
PHONES = [360, 390]

# One of each kind: what is missing, has another type or value, is accepted or refused wrongly, is told otherwise.
NINE_DEFECTS = (
    "fix-network-as-string",
    "amount-through-float",
    "theme-missing",
    "negative-amount-accepted",
    "media-type-ignored",
    "real-ip-believed",
    "fix-amount-as-number",
    "lang-not-as-configured",
    "inactive-token-code-undocumented",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser of these tests."""
    with browser() as started:
        yield started


def written(results: dict[str, Any], folder: Path) -> Path:
    """The page of a run."""
    write_reports(folder, results, samples.exchanges())
    return folder / "index.html"


@pytest.fixture
def broken(chromium: Any, tmp_path: Path) -> Any:
    """The page of a run with every verdict, opened."""
    return opened(chromium, written(samples.results(), tmp_path), viewport=DESK)


def shown(page: Any, selector: str) -> list[str]:
    """The ids of the elements that a reader sees."""
    found: list[str] = page.eval_on_selector_all(
        selector, "all => all.filter((one) => one.checkVisibility()).map((one) => one.id)"
    )
    return found


# Accessible


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("sample", EVERY)
def test_axe_finds_nothing(sample: Sample, scheme: str, chromium: Any, tmp_path: Path) -> None:
    """On every kind of report, in the colours of day and night, all of it opened, axe-core finds no violation."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened(chromium, written(sample(), tmp_path), color_scheme=scheme, viewport=DESK)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    found = axe.run(page)
    assert [(one["id"], [node["html"] for node in one["nodes"][:3]]) for one in found.response["violations"]] == []


@pytest.mark.parametrize("width", PHONES)
@pytest.mark.parametrize("sample", EVERY)
def test_nothing_is_wider_than_a_phone(sample: Sample, width: int, chromium: Any, tmp_path: Path) -> None:
    """On a phone's screen nothing but what scrolls by itself is wider than the page, and all places can be seen."""
    page = opened(chromium, written(sample(), tmp_path), viewport={"width": width, "height": 740})
    assert sticking_out(page) == []


@pytest.mark.parametrize("width", [*PHONES, 1280])
def test_nothing_in_the_bar_is_cut(width: int, chromium: Any, tmp_path: Path) -> None:
    """All its links are in sight, of a page that has every section, and the search says what can be sought."""
    waiver = {"clause": "proof.errors.envelope", "reason": "known", "until": None, "state": "used"}
    made = written(samples.results(waivers=[waiver]), tmp_path)
    page = opened(chromium, made, viewport={"width": width, "height": 740})
    right = page.evaluate("document.querySelector('.bar nav').getBoundingClientRect().right")
    links = page.eval_on_selector_all(".bar nav a", "all => all.map((one) => one.getBoundingClientRect().right)")
    assert len(links) == 10
    assert max(links) <= right
    page.eval_on_selector("[name=words]", "one => { one.value = one.placeholder; }")
    assert page.eval_on_selector("[name=words]", "one => one.scrollWidth <= one.clientWidth")


def several_runs() -> dict[str, str]:
    """The pages over saved runs, with much to show, by name."""
    runs = [Saved(samples.results(started=f"2026-11-{day:02}T07:00:00Z", run=f"run{day}")) for day in range(1, 8)]
    before, after = Saved(samples.conformant()), Saved(samples.results())
    return {
        "compare": pages.html(differences.compare(before, after)),
        "history": history_pages.html(releases.history(runs)),
    }


@pytest.mark.parametrize("width", PHONES)
def test_pages_over_saved_runs_fit_a_phone(width: int, chromium: Any, tmp_path: Path) -> None:
    """Their tables scroll within their own box, and the first verdicts stand beside the names of their clauses."""
    for name, text in several_runs().items():
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
        page = opened(chromium, tmp_path / f"{name}.html", viewport={"width": width, "height": 740})
        assert sticking_out(page) == [], name
    verdict = page.locator(".matrix td").first.bounding_box()
    assert verdict["x"] + verdict["width"] <= width


def test_the_report_can_be_read_without_a_script(chromium: Any, tmp_path: Path) -> None:
    """Where no script runs, all clauses are there, and no tool that would do nothing."""
    page = opened(chromium, written(samples.results(), tmp_path), java_script_enabled=False)
    assert page.locator("details.clause").count() == len(samples.clauses())
    assert page.locator("form:visible, button:visible").count() == 0
    assert page.locator("#failed").is_visible()


# Found


def test_the_search_reaches_findings(broken: Any) -> None:
    """Words that stand in a finding alone leave what has it, and its clause is not lost among others."""
    broken.locator("[name=words]").fill("for partners")
    assert shown(broken, ".failure h3") == ["failed.proof.errors.no-internals"]
    assert broken.locator(".search .found").inner_text() == "1 found"


def test_the_search_reaches_exchanges_and_opens_them(broken: Any) -> None:
    """Words that stand in an exchange alone find it, and open what holds it."""
    broken.locator("[name=words]").fill("req-0017")
    assert shown(broken, ".exchange.hit") == ["exchange-17"]
    assert shown(broken, ".failure h3") == ["failed.proof.session.amount-echo"]


def test_the_search_stands_in_the_address(broken: Any, chromium: Any) -> None:
    """What is sought, and which verdicts are shown, is in the address, and an address like that brings it back."""
    broken.locator("[name=words]").fill("token")
    broken.locator("[name=verdict][value=passed]").uncheck()
    address = broken.url.partition("#")[2]
    assert address.startswith("?words=token&verdict=failed")
    before = shown(broken, "details.clause")
    again = opened(chromium, Path(broken.url.partition("#")[0].removeprefix("file://")), f"#{address}")
    assert again.locator("[name=words]").input_value() == "token"
    assert not again.locator("[name=verdict][value=passed]").is_checked()
    assert (
        shown(again, "details.clause")
        == before
        == [
            "proof.auth.unknown-token",
            "proof.auth.inactive-token",
            "proof.auth.rotation-grace",
        ]
    )


def test_a_count_leads_to_its_clauses(broken: Any) -> None:
    """The count of failures leads to them, that of what passed to the clauses that passed."""
    broken.locator(".counts .failed a").click()
    assert broken.url.endswith("#failed")
    broken.locator(".counts .passed a").click()
    assert broken.url.endswith("#?verdict=passed")
    passed = [clause["id"] for clause in samples.clauses() if clause["verdict"] == "passed"]
    assert shown(broken, "details.clause") == passed


def test_a_link_to_an_exchange_opens_it(chromium: Any, tmp_path: Path) -> None:
    """An address with an exchange opens all that is closed around it, and it is in sight below the bar."""
    page = opened(chromium, written(samples.examples(), tmp_path), "#exchange-99", viewport=DESK)
    exchange = page.locator("#exchange-99")
    assert exchange.get_attribute("open") is not None
    assert exchange.bounding_box()["y"] >= page.locator(".bar").bounding_box()["height"]
    assert exchange.bounding_box()["y"] < DESK["height"]


def test_a_link_to_what_a_search_hides_shows_it(broken: Any) -> None:
    """A link to a clause that the search hides ends the search."""
    broken.locator("[name=words]").fill("redirect")
    broken.evaluate("location.hash = 'proof.errors.envelope'")
    broken.locator("[id='proof.errors.envelope']").wait_for(state="visible")
    assert broken.locator("[name=words]").input_value() == ""


def test_the_keys_search_and_step(broken: Any) -> None:
    """`/` goes to the search, Escape empties it, `j` and `k` go from entry to entry."""
    broken.keyboard.press("/")
    broken.keyboard.type("envelope")
    assert broken.locator("[name=words]").input_value() == "envelope"
    broken.keyboard.press("Escape")
    assert broken.locator("[name=words]").input_value() == ""
    broken.evaluate("document.activeElement.blur()")
    focused = "document.activeElement.closest('.item').getAttribute('aria-labelledby')"
    broken.keyboard.press("j")
    first = broken.evaluate(focused)
    broken.keyboard.press("j")
    assert first == "failed.proof.auth.unknown-token"
    assert broken.evaluate(focused) != first
    broken.keyboard.press("k")
    assert broken.evaluate(focused) == first


def test_a_command_can_be_copied(chromium: Any, tmp_path: Path) -> None:
    """The button beside a command copies the very command."""
    page = opened(chromium, written(samples.results(), tmp_path), permissions=["clipboard-read", "clipboard-write"])
    page.locator("#about .copy").click()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#about pre").inner_text()


# On paper


TIME = "2026-11-27T20:00:00Z"


def on_paper(chromium: Any, path: Path) -> list[str]:
    """The text of each sheet of a page."""
    return paper(opened(chromium, path))


@pytest.mark.parametrize("sample", EVERY)
def test_the_certificate_is_one_sheet(sample: Sample, chromium: Any, tmp_path: Path) -> None:
    """Whatever the run came to, the first sheet ends with the sign-off, and what else there is begins on the second."""
    sheets = on_paper(chromium, written(sample(), tmp_path))
    assert "Sign-off" in sheets[0]
    assert [name for name in ("What failed", "All clauses", "Questions to the vendor") if name in sheets[0]] == []
    assert "Sign-off" not in "".join(sheets[1:])


def test_the_fullest_certificate_is_one_sheet(chromium: Any, tmp_path: Path) -> None:
    """With long texts everywhere, and more waivers than it lists, it still is one sheet, and once it is signed."""
    long = "a text that somebody took very seriously " * 20
    results = samples.gaps()
    waiver = {"clause": "proof.session.complete", "reason": long, "until": "2027-01-31", "state": "used"}
    gap = {"gap": "declared", "section": "proof.auth"}
    results["target"]["base_url"] = "https://sandbox.example/" + "path/" * 100
    results |= {
        "subject": {"partner": long, "build": long, "requested_by": long},
        "sign_off": {"valid_days": 90, "valid_until": "2027-02-19"},
        "digests": dict.fromkeys(("profile", "register", "document", "journal"), "0" * 64),
        "waivers": [waiver | {"owner": long, "approver": long}] * 9,
        "clauses": results["clauses"]
        + [
            samples.clause(f"proof.auth.gap-{n}", "proof.auth", "not_verified", f"{n} {long}", reason=f"{n} {long}")
            | gap
            for n in range(29)
        ],
    }
    results["counts"]["not_verified"] += 29
    path = written(results, tmp_path)
    url = "https://ci.example/runs/20261127T070000Z/report"
    signers = [Signer(side, "Jane Doe", "Head of QA", TIME, "0" * 64, url) for side in ("provider", "partner")]
    page = split(path.read_bytes())
    assert page is not None
    for block in (page.block.decode(), html.block(signers)):
        path.write_bytes(page.signed(block))
        sheets = on_paper(chromium, path)
        assert "Remarks and exceptions" in sheets[0]
    assert "and 8 more" in sheets[0]
    assert all(f"proof.auth.gap-{n}" in sheets[0] for n in range(29))


@pytest.mark.parametrize(("defects", "most"), [((), 8), (NINE_DEFECTS, 25)], ids=["conforming", "nine defects"])
def test_a_run_is_short_on_paper(defects: tuple[str, ...], most: int, chromium: Any, tmp_path: Path) -> None:
    """A conforming run prints on at most 8 sheets, one with nine defects on at most 25, all its findings on them."""
    given = [argument for name in defects for argument in ("--defect", name)]
    run = rampcheck("--contract", "proof", "--examples", "10", *given, folder=tmp_path / "run")
    sheets = on_paper(chromium, run.folder / "index.html")
    assert len(sheets) <= most
    text = "".join(sheets)
    assert all(clause in text for clause in run.verdicts("failed", "advisory"))
    assert len(run.verdicts("failed", "advisory")) >= len(defects)
    assert "User-Agent" not in text
