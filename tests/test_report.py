"""The reports: true to the results, readable, and safe whatever a target has sent."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import junitparser
import pytest
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt
from rich.console import Console

from rampcheck.display import HIDDEN, one_line, visible
from rampcheck.errors import UsageError
from rampcheck.report.files import write_reports
from rampcheck.report.html import foreign, prose
from rampcheck.report.outline import CLAUSE_VERDICTS, UNSIGNED, outline
from rampcheck.report.pretty import indent_json
from rampcheck.report.results import ResultsError, encode, load, schema, validate
from rampcheck.report.summary import cell
from rampcheck.report.terminal import print_summary
from tests import samples

EVERY = [
    samples.results,
    samples.conformant,
    samples.gaps,
    samples.partial,
    samples.incomplete,
    samples.inconclusive,
    samples.examples,
]
VOID = {"meta", "link", "br", "img", "input", "hr"}
LOADING = {"src", "srcset", "action", "formaction", "data", "poster", "background", "ping", "style"}


class Page(HTMLParser):
    """What a browser would find in a page: its elements, its ids, its text, and tags that do not match."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Notes an end tag that does not end the innermost element."""
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        """Notes what a reader sees."""
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data

    def ids(self) -> list[str]:
        """Gives all ids, in order."""
        return [attributes["id"] or "" for _, attributes in self.elements if "id" in attributes]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The reports of the sample run."""
    write_reports(tmp_path / "run", samples.results(), samples.exchanges())
    return tmp_path / "run"


@pytest.fixture
def page(written: Path) -> Page:
    """The page of the sample run."""
    return Page((written / "index.html").read_text(encoding="utf-8"))


def summary_text(results: dict[str, Any], width: int = 80) -> str:
    """What `print_summary` prints where nobody watches."""
    console = Console(file=io.StringIO(), width=width)
    print_summary(results, console, Path("reports/proof-1"))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


# results.json


def test_the_schema_is_a_schema() -> None:
    """The schema of results.json is valid JSON Schema 2020-12."""
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("sample", EVERY)
def test_results_survive_being_written(sample: Any, tmp_path: Path) -> None:
    """Results come back from results.json as they went in, hostile strings and lone surrogates included."""
    write_reports(tmp_path, sample(), {})
    assert load(tmp_path) == sample()
    assert load(tmp_path / "results.json") == sample()


def test_nothing_but_the_reports_is_left(written: Path) -> None:
    """Writing leaves the reports and no temporary file."""
    assert {path.name for path in written.iterdir()} == {
        "results.json",
        "index.html",
        "junit.xml",
        "ctrf.json",
        "rampcheck.sarif",
        "annotations.txt",
        "summary.md",
        "questions.md",
    }


@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        ({"verdict": "splendid"}, "$.verdict"),
        ({"schema": 2}, "$.schema"),
        ({"run": "a b"}, "$.run"),
        ({"requests": -1}, "$.requests"),
        ({"started": "yesterday"}, "$.started"),
        (
            {"counts": dict.fromkeys(CLAUSE_VERDICTS, 0)},
            "counts.failed is 0, but 3 clauses have that verdict",
        ),
        ({"sections": samples.SECTIONS[1:]}, "belongs to the section proof.auth, which is not listed"),
        ({"clauses": samples.clauses() + samples.clauses()[:1]}, "proof.auth.bearer-required occurs 2 times"),
    ],
)
def test_wrong_results_are_refused(changes: dict[str, Any], mistake: str, tmp_path: Path) -> None:
    """Results that break the schema or contradict themselves are refused, and nothing is written."""
    with pytest.raises(ResultsError, match=re.escape(mistake)):
        write_reports(tmp_path / "run", samples.results(**changes), {})
    assert not (tmp_path / "run").exists()


def test_unknown_members_are_welcome() -> None:
    """Results with members of a later version are valid."""
    validate(samples.results(comment="from the future"))


@pytest.mark.parametrize(("content", "cause"), [(None, "cannot be read"), (b"{", "is not JSON"), (b"\xff", "is not")])
def test_an_unreadable_file_is_an_error_of_use(content: bytes | None, cause: str, tmp_path: Path) -> None:
    """A results.json that is missing, cut short or not UTF-8 is reported with its path and cause."""
    if content is not None:
        (tmp_path / "results.json").write_bytes(content)
    with pytest.raises(UsageError, match=cause) as caught:
        load(tmp_path)
    assert str(tmp_path / "results.json") in str(caught.value)


# The outline


def test_gaps_are_grouped_by_reason() -> None:
    """Every clause that was not verified stands under its reason, the widest gap first."""
    gaps = outline(samples.results()).gaps
    assert [len(gap.clauses) for gap in gaps] == [2, 1, 1]
    assert all(clause["reason"] == gap.reason for gap in gaps for clause in gap.clauses)


@pytest.mark.parametrize(
    ("results", "sentence"),
    [
        (samples.conformant(), "Every required promise was verified, and none was seen broken."),
        (
            samples.inconclusive(),
            "Nothing could be judged: the target could not be reached: connection refused.",
        ),
        (
            samples.results(),
            (
                "The target breaks 3 promises of the documentation, besides 1 covered by a waiver, "
                "and 4 required promises could not be verified."
            ),
        ),
        (
            samples.results(verdict="conformant_with_gaps", clauses=samples.clauses()[2:3]),
            "No required promise was seen broken, but 1 required promise could not be verified.",
        ),
    ],
)
def test_the_verdict_is_one_plain_sentence(results: dict[str, Any], sentence: str) -> None:
    """Every verdict of a run is explained in one sentence with the numbers of that run."""
    assert outline(results).sentence == sentence


# index.html


@pytest.mark.parametrize("sample", EVERY)
def test_the_page_is_well_formed(sample: Any, tmp_path: Path) -> None:
    """Every tag of the page is closed, in order, and no id comes twice."""
    write_reports(tmp_path, sample(), samples.exchanges())
    page = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert (page.unbalanced, page.open) == ([], [])
    assert [name for name, count in Counter(page.ids()).items() if count > 1] == []


def test_every_clause_has_an_anchor(page: Page) -> None:
    """Every clause can be linked to by its id, and every link within the page leads somewhere."""
    ids = set(page.ids())
    assert {clause["id"] for clause in samples.clauses()} <= ids
    links = [attributes["href"] or "" for tag, attributes in page.elements if tag == "a"]
    assert [link for link in links if link.startswith("#") and link[1:] not in ids] == []


def test_the_page_needs_no_network(page: Page) -> None:
    """The page loads nothing from anywhere, and links only to itself and to documents the register names."""
    loading = [(tag, name) for tag, attributes in page.elements for name in attributes if name in LOADING]
    assert loading == []
    assert not {"link", "img", "iframe", "object", "embed", "base"} & {tag for tag, _ in page.elements}
    links = {attributes["href"] or "" for tag, attributes in page.elements if tag == "a"}
    assert {link for link in links if not link.startswith("#")} == {"https://docs.example/onboarding"}


def test_the_style_sheet_needs_no_network(written: Path) -> None:
    """The style sheet names no address and imports nothing."""
    style = (written / "index.html").read_text(encoding="utf-8").partition("<style>")[2].partition("</style>")[0]
    assert "font-family" in style
    assert re.findall(r"url\(|@import|https?:", style) == []


def test_hostile_text_stays_text(page: Page) -> None:
    """Nothing a target sent becomes an element or an attribute, and all of it can be read."""
    assert Counter(tag for tag, _ in page.elements)["script"] == 1
    assert [tag for tag, attributes in page.elements for name in attributes if name.startswith("on")] == []
    for text in samples.HOSTILE:
        assert visible(text[:1000]) in page.text
    assert HIDDEN.findall(page.text) == []


def test_a_hostile_document_address_is_no_link(tmp_path: Path) -> None:
    """Only an https address of a document becomes a link."""
    source = {"document": "Page", "section": "", "url": "javascript:alert(1)"}
    clause = samples.clause("proof.auth.x", "proof.auth", "passed", "A promise.", source=source)
    write_reports(tmp_path, samples.results(verdict="conformant", clauses=[clause]), {})
    assert "javascript:" not in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_the_policy_lets_in_only_what_is_ours(written: Path, page: Page) -> None:
    """The page's Content-Security-Policy allows its own style sheet and script by hash, and nothing else."""
    source = (written / "index.html").read_text(encoding="utf-8")
    hashes = []
    for tag in ("style", "script"):
        inline = source.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        hashes.append(base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode())
    policies = [a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    allowed = f"style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'"
    assert policies == [f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"]


def test_a_cited_exchange_is_shown_once(page: Page) -> None:
    """Every exchange that is cited is embedded exactly once, and no other exchange is."""
    shown = [int(name.removeprefix("exchange-")) for name in page.ids() if name.startswith("exchange-")]
    assert sorted(shown) == [3, 9, 17, 21, 22, 23, 24, 25, 30, 31]
    assert "cites this exchange" not in page.text


def test_an_exchange_is_shown_in_full(page: Page) -> None:
    """A shown exchange has its request, its response, its failure and its curl command."""
    for text in (
        '  "amount": "99.50"\n',
        "x-request-id: req-0017",
        "Response: 401 Unauthorized",
        "no response within 10 s",
        "Message 1, incoming",
        "Binary message 2, outgoing",
        "Open for",
        "\\xff\\xfe\\u0000{",
        "Authorization: Bearer ${PROOF_CLIENT_TOKEN}",
    ):
        assert text in page.text


def test_a_long_body_is_shortened(page: Page) -> None:
    """A body of over 4,000 characters is shortened with a note of its full length."""
    assert "shortened: 12,012 characters in all" in page.text
    assert "y" * 4_001 not in page.text


def test_a_lost_exchange_is_admitted(tmp_path: Path) -> None:
    """An exchange that the journal lacks is named as lacking, not linked."""
    write_reports(tmp_path, samples.results(), {})
    page = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert "in exchange 9, which the journal lacks" in page.text
    assert "#exchange-9" not in {attributes.get("href") for _, attributes in page.elements}


def test_many_findings_are_cut(tmp_path: Path) -> None:
    """Of very many findings of a clause the page shows twenty and says how many more there are."""
    findings = [samples.finding("a", f"actual {number}.", 9) for number in range(1000)]
    clause = samples.clause("proof.auth.x", "proof.auth", "failed", "A promise.", findings=findings)
    write_reports(tmp_path, samples.results(clauses=[clause]), samples.exchanges())
    page = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert "actual 19." in page.text
    assert "actual 20." not in page.text
    assert "and 980 more, in results.json" in page.text


@pytest.mark.parametrize("sample", [samples.conformant, samples.gaps])
def test_the_page_can_be_signed(sample: Any, tmp_path: Path) -> None:
    """The sign-off names both parties and the digest of the very results.json that lies beside the page."""
    write_reports(tmp_path, sample(), samples.exchanges())
    page = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert hashlib.sha256((tmp_path / "results.json").read_bytes()).hexdigest() in page.text
    assert "For the provider" in page.text
    assert "For the partner" in page.text


@pytest.mark.parametrize("sample", [samples.results, samples.partial, samples.incomplete, samples.inconclusive])
def test_only_what_conforms_can_be_signed(sample: Any, tmp_path: Path) -> None:
    """Under any other verdict the page has no form to sign, and says why."""
    write_reports(tmp_path, sample(), samples.exchanges())
    page = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert "For the provider" not in page.text
    assert f"There is nothing to sign. {UNSIGNED[sample()['verdict']]}" in page.text


def test_rendering_again_gives_the_same(written: Path, tmp_path: Path) -> None:
    """Reports made again from what was saved are the same, byte for byte."""
    write_reports(tmp_path / "again", load(written), samples.exchanges())
    for path in written.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_prose_sets_off_code() -> None:
    """Backticks in our own sentences become code, and a lone one stays a character."""
    assert str(prose("refused with `<401>` & more")) == "refused with <code>&lt;401&gt;</code> &amp; more"
    assert str(prose("a lone ` <b>")) == "a lone ` &lt;b&gt;"


def test_marks_and_hidden_characters_are_set_apart() -> None:
    """Redaction marks and escapes of hidden characters look different from text that merely spells them."""
    shown = str(foreign("a [redacted email 5be0c1] b\u202ec \\u202e <i>"))
    assert '<span class="mark">[redacted email 5be0c1]</span>' in shown
    assert '<span class="hidden">\\u202e</span>c \\u202e &lt;i&gt;' in shown


# JSON laid out for reading


@pytest.mark.parametrize(
    ("text", "laid_out"),
    [
        (
            '{"a":99.50,"a":[],"b":{"c":[1]}}',
            '{\n  "a": 99.50,\n  "a": [],\n  "b": {\n    "c": [1]\n  }\n}',
        ),
        ('[ "\\u0041,{" ,1E5 ]', '["\\u0041,{", 1E5]'),
        (json.dumps(["a" * 40] * 2), json.dumps(["a" * 40] * 2, indent=2)),
        ("[[1,2],[{}]]", "[\n  [1, 2],\n  [\n    {}\n  ]\n]"),
        ("{ }", "{}"),
        ("not JSON", None),
        ('"a string"', None),
        ("[" * 100_000, None),
        ("[" * 40 + "]" * 40, "[" * 40 + "]" * 40),
    ],
)
def test_layout_changes_only_white_space(text: str, laid_out: str | None) -> None:
    """JSON is laid out with every token as it came; what is no document is left alone."""
    assert indent_json(text) == laid_out


# junit.xml


@pytest.mark.parametrize("sample", [samples.results, samples.conformant, samples.inconclusive])
def test_junit_counts_agree(sample: Any, tmp_path: Path) -> None:
    """JUnit has a case for every clause, under its section, with failures and skips as in the counts."""
    write_reports(tmp_path, sample(), {})
    document = junitparser.JUnitXml.fromstring((tmp_path / "junit.xml").read_bytes())
    cases = [case for suite in document if suite.name != "rampcheck" for case in suite]
    counts = sample()["counts"]
    assert {(case.classname, case.name) for case in cases} == {(c["section"], c["id"]) for c in sample()["clauses"]}
    assert sum(case.is_failure for case in cases) == counts["failed"]
    assert sum(case.is_skipped for case in cases) == counts["not_verified"] + counts["waived"]
    assert sum(bool(case.system_out) for case in cases) == counts["advisory"] + counts["observed"]
    assert document.failures == counts["failed"]
    assert document.tests == len(cases) + document.errors


def test_junit_says_what_is_wrong_with_the_run(tmp_path: Path) -> None:
    """Faults of rampcheck, an inconclusive and an interrupted run are errors."""
    write_reports(tmp_path, samples.inconclusive(), {})
    document = junitparser.JUnitXml.fromstring((tmp_path / "junit.xml").read_bytes())
    troubles = [case for suite in document if suite.name == "rampcheck" for case in suite]
    assert [case.result[0].type for case in troubles] == ["fault", "inconclusive", "interrupted"]
    assert document.errors == 3


def test_junit_tells_expected_and_actual(written: Path) -> None:
    """A failure in JUnit says what was expected, what came, and in which exchange."""
    document = junitparser.JUnitXml.fromstring((written / "junit.xml").read_bytes())
    case = next(case for suite in document for case in suite if case.name == "proof.session.amount-echo")
    text = case.result[0].text
    assert 'expected: amount "99.50"\nactual: amount "99.5"\nexchange: 17' in text


# summary.md


def test_a_cell_shows_exactly_what_it_is_given() -> None:
    """Markdown renders an escaped cell as the very text, without any markup, whatever it holds."""
    markdown = MarkdownIt("gfm-like", {"linkify": False}).enable("table")
    for text in samples.HOSTILE:
        rendered = Page(markdown.render(f"| a |\n|---|\n| {cell(text)} |\n"))
        assert Counter(tag for tag, _ in rendered.elements)["td"] == 1
        assert {tag for tag, _ in rendered.elements} <= {"table", "thead", "tbody", "tr", "th", "td"}
        assert one_line(text, 300) in rendered.text


def test_the_summary_has_the_failures_and_the_gaps(written: Path) -> None:
    """The summary lists every broken clause with its exchange, and what to add for those not verified."""
    lines = (written / "summary.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "## ✗ Not conformant: Proof On/Off Ramp partner API"
    assert '| proof.session.amount-echo | amount "99.50" | amount "99.5" | 17 |' in lines
    assert any("partner.widget\\_config" in line and "proof.session.config.lang" in line for line in lines)


# The terminal


def test_the_terminal_summary_is_plain_text_in_a_file() -> None:
    """Where the console is no terminal, no colour code and no line over its width is printed."""
    text = summary_text(samples.results())
    assert HIDDEN.findall(text) == []
    assert max(len(line) for line in text.splitlines()) <= 80
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


def test_the_terminal_summary_says_what_failed() -> None:
    """A failed clause is printed with expected, actual and exchange; the verdict comes last."""
    text = summary_text(samples.results(), width=300)
    for line in (
        "✗ proof.session.amount-echo",
        '    expected  amount "99.50"',
        '    actual    amount "99.5"',
    ):
        assert line in text.splitlines()
    assert "exchange  17, the first of 12: index.html#exchange-17" in text
    assert "3 failed, 1 waived, 2 advisory, 4 not verified, 1 observed, 3 passed" in text
    assert text.splitlines()[-1].startswith("✗ Not conformant: Proof On/Off Ramp partner API at https://")


def test_the_terminal_summary_folds_and_cuts_nothing_short() -> None:
    """On a narrow console every word of an expected value is still there."""
    expected = "word " * 60
    findings = [samples.finding(expected, "", 1)]
    clause = samples.clause("proof.auth.x", "proof.auth", "failed", "A promise.", findings=findings)
    assert summary_text(samples.results(clauses=[clause]), width=40).count("word") == 60


def test_the_terminal_summary_is_in_colour_on_a_terminal() -> None:
    """On a terminal the verdict is coloured."""
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=80)
    print_summary(samples.conformant(), console, Path("reports"))
    assert isinstance(console.file, io.StringIO)
    assert "\x1b[1;32m✓ \x1b[0m\x1b[1;32mConformant\x1b[0m" in console.file.getvalue()


def test_encoding_is_deterministic() -> None:
    """The same results give the same bytes, also where they were read from them, and end in a line feed."""
    written = encode(samples.results())
    assert encode(samples.results()) == encode(json.loads(written)) == written
    assert written.endswith(b"}\n")
