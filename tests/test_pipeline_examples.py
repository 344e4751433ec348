"""Each pipeline that a user copies: its own steps, run here, in an empty folder, against the embedded reference."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from dockerfile_parse import DockerfileParser
from jsonschema.validators import validator_for

from rampcheck.sandbox import server

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples" / "pipelines"
PART = "--clause proof.auth.bearer-required"
# The name of a defect, if any, and whether the target answers; the exit code, and the verdict.
ENDS = {
    "holds": ("", True, 0, "partial"),
    "broken": ("token-compared-by-prefix", True, 1, "nonconformant"),
    "away": ("", False, 5, "inconclusive"),
}
BROKEN_PART = "--clause proof.auth.unknown-token"


@pytest.fixture(params=ENDS)
def end(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, int, str]]:
    """A folder with the profile of a target; gives the part to try, the exit code, and the verdict."""
    defect, answers, code, verdict = ENDS[request.param]
    with server.start("proof", defects=[defect] if defect else []) as running:
        profile = {**running.profile()}
        if not answers:
            profile["base_url"] = "http://127.0.0.1:1"
        (tmp_path / "sandbox.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")
        yield (BROKEN_PART if defect else PART), code, verdict


def script(text: str, folder: Path, shell: tuple[str, ...], **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a script in a folder, with no variable of a service but these."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [*shell, text],
        cwd=folder,
        env={**kept, "LC_ALL": "C.UTF-8", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def demand_valid(name: str, document: Any) -> None:
    """Fails where a document breaks the schema that a service publishes."""
    schema = get_builtin_schema(name)
    errors = list(validator_for(schema)(schema).iter_errors(document))
    assert not errors, errors[0].message


@dataclass
class Action:
    """The steps of action.yml, run as a GitHub runner runs them."""

    folder: Path
    inputs: dict[str, str]
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    code: int = 0

    def run(self, *, installed: bool = False) -> None:
        """Runs each step after the other, as far as none fails; where all is `installed`, not the first."""
        document = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
        given = {name: self.inputs.get(name, about.get("default", "")) for name, about in document["inputs"].items()}
        for step in document["runs"]["steps"][1 if installed else 0 :]:
            values = {name: self._filled(text, given) for name, text in step.get("env", {}).items()}
            if "run" not in step:
                assert re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"])
                continue
            assert "${{" not in step["run"], "an expression in a script is code of whoever writes the input"
            files = {name: str(self.folder / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
            bash = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
            done = script(step["run"], self.folder, bash, RUNNER_TEMP=str(self.folder), **files, **values)
            self.log += done.stdout + done.stderr
            if (written := self.folder / "github_output").exists():
                self.outputs |= dict(line.split("=", 1) for line in written.read_text().splitlines())
            if done.returncode:
                self.code = done.returncode
                return

    def _filled(self, text: str, given: dict[str, str]) -> str:
        known = {f"inputs.{name}": value for name, value in given.items()}
        known |= {f"steps.run.outputs.{name}": value for name, value in self.outputs.items()}
        known["github.action_path"] = str(ROOT)
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: known[found[1]], text)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the action's first step installs, once for all."""
    folder = tmp_path_factory.mktemp("runner")
    action = Action(folder, {"profile": "missing.yaml", "python": sys.executable})
    action.run()
    assert "missing.yaml" in action.log, action.log
    assert action.code == 4
    assert "::error title=rampcheck::There is no report (exit code 4)" in action.log
    return folder / "rampcheck"


@pytest.mark.heavy  # it installs all
def test_the_action_ends_as_the_run_does(end: tuple[str, int, str], installed: Path, tmp_path: Path) -> None:
    """Installed, run, its summary and annotations shown, its report kept, and its exit code that of the job."""
    part, code, verdict = end
    (tmp_path / "rampcheck").symlink_to(installed)
    action = Action(tmp_path, {"profile": "sandbox.yaml", "arguments": f"{part} -k 'not nothing'"})
    action.run(installed=True)
    assert action.code == code, action.log
    assert action.outputs == {"exit-code": str(code), "verdict": verdict}
    summary = (tmp_path / "github_step_summary").read_text(encoding="utf-8")
    assert summary == (tmp_path / "rampcheck-report" / "summary.md").read_text(encoding="utf-8")
    assert ("\n::error " in action.log) is (code != 0)


def wrapper(folder: Path, part: str) -> None:
    """Puts a `rampcheck` where the examples install theirs; it tries a part alone, so that a test takes no minutes."""
    program = folder / ".rampcheck" / "bin" / "rampcheck"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m rampcheck.cli "$@" {part}\n', encoding="utf-8")
    program.chmod(0o755)


def without_install(lines: list[str]) -> list[str]:
    """The lines of a script that install nothing; those that do are as the action's, which is tried as it is."""
    kept = [line for line in lines if "-m venv" not in line and "pip install" not in line]
    assert len(kept) < len(lines)
    return kept


def test_gitlab_runs(end: tuple[str, int, str], tmp_path: Path) -> None:
    """The script of the template ends as the run does, and writes what it keeps."""
    part, code, _ = end
    document = yaml.safe_load((EXAMPLES / "gitlab.yml").read_text(encoding="utf-8"))
    demand_valid("vendor.gitlab-ci", {**document, "rampcheck": {"extends": ".rampcheck"}})
    job = document[".rampcheck"]
    wrapper(tmp_path, part)
    lines = "\n".join(without_install(job["script"]))
    done = script(lines, tmp_path, ("bash", "-eo", "pipefail", "-c"), **job["variables"])
    assert done.returncode == code, done.stdout + done.stderr
    kept = job["artifacts"]["reports"]["junit"].replace("$RAMPCHECK_REPORT", job["variables"]["RAMPCHECK_REPORT"])
    assert (tmp_path / kept).exists()


def test_azure_runs(end: tuple[str, int, str], tmp_path: Path) -> None:
    """Its scripts end as the run does, and tell where the summary is, whatever came before."""
    part, code, _ = end
    document = yaml.safe_load((EXAMPLES / "azure.yml").read_text(encoding="utf-8"))
    demand_valid("vendor.azure-pipelines", document)
    wrapper(tmp_path, part)
    scripts = without_install([step["script"] for step in document["steps"] if "script" in step])
    done = [script(text, tmp_path, ("bash", "-c")) for text in scripts]
    assert [one.returncode for one in done] == [code, 0], done[0].stdout + done[0].stderr
    told = re.fullmatch(r"##vso\[task\.uploadsummary\](.*)\n", done[1].stdout)
    assert told
    assert Path(told[1]).exists()
    tests = next(step for step in document["steps"] if step.get("task") == "PublishTestResults@2")
    assert (tmp_path / tests["inputs"]["testResultsFiles"]).exists()


def test_jenkins_runs(end: tuple[str, int, str], tmp_path: Path) -> None:
    """The shell step of the Jenkinsfile ends as the run does, also where a report of before is there."""
    part, code, _ = end
    text = (EXAMPLES / "Jenkinsfile").read_text(encoding="utf-8")
    assert text.count("{") == text.count("}")
    (step,) = re.findall(r"sh '''\n(.*?)'''", text, re.DOTALL)
    wrapper(tmp_path, part)
    (tmp_path / "rampcheck-report").mkdir()
    (tmp_path / "rampcheck-report" / "old").touch()
    lines = "\n".join(without_install(step.splitlines()))
    done = script(lines, tmp_path, ("sh", "-xec"))
    assert done.returncode == code, done.stdout + done.stderr
    (junit,) = re.findall(r"testResults: '(.*?)'", text)
    assert (tmp_path / junit).exists()


def test_the_documents_of_github_are_valid() -> None:
    """The action and the workflow that uses it follow the schemas that are published for them."""
    demand_valid("vendor.github-actions", yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8")))
    text = (EXAMPLES / "github.yml").read_text(encoding="utf-8")
    workflow = yaml.load(text, yaml.BaseLoader)  # strings alone: `on` is no truth value here
    demand_valid("vendor.github-workflows", workflow)
    (step,) = [step for step in workflow["jobs"]["rampcheck"]["steps"] if "rampcheck@" in step["uses"]]
    assert set(step["with"]) <= set(yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"])


def without_capabilities() -> tuple[str, ...]:
    """What makes root as powerless against modes as everybody else is; skips the test where there is no such thing."""
    if os.geteuid() != 0:
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("root, and no setpriv to give its powers up")
    return ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")


def test_the_container_runs_where_nothing_but_its_report_can_be_written(
    end: tuple[str, int, str], tmp_path: Path
) -> None:
    """The command of the Dockerfile, by a user without powers, in a folder and a home that cannot be written."""
    part, code, _ = end
    steps = {step["instruction"]: step["value"] for step in dockerfile(tmp_path).structure}
    assert list(steps) == ["COMMENT", "FROM", "COPY", "RUN", "ENV", "WORKDIR", "USER", "ENTRYPOINT", "CMD"]
    assert not steps["USER"].startswith(("0", "root"))
    entry, command = (yaml.safe_load(steps[name]) for name in ("ENTRYPOINT", "CMD"))
    assert entry == ["rampcheck"]
    (work := tmp_path / "work").mkdir()
    (tmp_path / "sandbox.yaml").rename(work / "profile.yaml")
    (work / "report").mkdir()
    (home := tmp_path / "home").mkdir()
    for folder in (work, home):
        folder.chmod(0o555)
    powerless = without_capabilities()
    tried = subprocess.run([*powerless, "touch", str(work / "x"), str(home / "x")], check=False, capture_output=True)
    assert tried.returncode != 0
    done = subprocess.run(
        [*powerless, sys.executable, "-m", "rampcheck.cli", *command, *part.split()],
        cwd=work,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert (work / "report" / "index.html").exists()


def dockerfile(folder: Path) -> DockerfileParser:
    """The Dockerfile, read; the parser wants a file that it may write."""
    shutil.copy(ROOT / "Dockerfile", folder)
    return DockerfileParser(str(folder / "Dockerfile"))


def test_the_image_holds_what_its_build_takes() -> None:
    """What .dockerignore lets in is there, and all that the wheel is built from is let in."""
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[0] == "!"}
    assert {name for name in let_in if not (ROOT / name).exists()} == set()
    built = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    forced = re.findall(r'^"(\w+)" = "rampcheck/', built, re.MULTILINE)
    assert {"rampcheck", "README.md", "LICENSE", "constraints.txt", "pyproject.toml", *forced} == let_in
