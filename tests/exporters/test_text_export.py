"""Pipelines as YAML and JSON: what is written reads back; what is wrong with a file is one sentence."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it has no types

from mlops_core.commands.export import exported
from mlops_core.domain.gates import Approval
from mlops_core.domain.pipeline import Consent, PipelineDocument, Schedule, TaskEntry
from mlops_core.errors import BadInput
from mlops_core.exporters import dag_of, document_of, from_text, to_json, to_yaml
from mlops_core.exporters.schema import pipeline_schema
from mlops_core.usecases.churn import CHURN
from tests.exporters.documents import documents
from tests.exporters.pipelines import nothing

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = Path(__file__).parents[2] / "docs" / "pipeline.schema.json"
ASKING = CHURN.model_copy(
    update={"gate": CHURN.gate.model_copy(update={"approval": Approval(expires=timedelta(days=3))})}
)
HELD = exported(
    ASKING,
    {"candidates": ["logistic"], "floor": "0.8", "fail_on_rejection": True},
    known_as="shop:CHURN",
    cron="0 6 * * MON",
    timezone="Europe/Berlin",
).document
VALID = Draft202012Validator(pipeline_schema()).is_valid


def test_churn_reads_as_the_golden_files_do() -> None:
    document = exported(CHURN).document
    assert to_yaml(document) == (GOLDEN / "churn.yaml").read_text()
    assert to_json(document) == (GOLDEN / "churn.json").read_text()


def test_schedule_consent_and_parameters_read_as_the_golden_file_does() -> None:
    assert to_yaml(HELD) == (GOLDEN / "held_churn.yaml").read_text()
    assert HELD.consent == Consent(task="approval", expires=timedelta(days=3))
    assert HELD.schedule == Schedule(cron="0 6 * * MON", timezone="Europe/Berlin")


@settings(deadline=None, max_examples=40)
@given(documents())
def test_what_is_written_reads_back(document: PipelineDocument) -> None:
    """With tasks in the same order, of the same name, upstream, retry, time-out, tags and description."""
    runs = dict.fromkeys((one.name for one in document.tasks), nothing)
    dag = dag_of(document, runs)
    for write in (to_yaml, to_json):
        text = write(document)
        read = from_text(text, "it")
        assert (read, write(read)) == (document, text)
        assert [*dag_of(read, runs)] == [*dag]
    assert document_of(dag, name="again").tasks == document.tasks
    assert VALID(json.loads(to_json(document)))


def test_the_published_schema_is_that_of_the_code() -> None:
    assert json.loads(SCHEMA.read_text()) == pipeline_schema()
    Draft202012Validator.check_schema(pipeline_schema())


def mutations(plain: dict[str, object]) -> st.SearchStrategy[dict[str, object]]:
    """The same with one value of another type, one unknown field or one that is missing, at any depth."""
    wrong = st.sampled_from([17.5, "text", [[1]], {"odd": 1}, True, None])
    tasks = plain["tasks"]
    assert isinstance(tasks, list)
    places = [plain, *tasks, *(one["retry"] for one in tasks if "retry" in one)]

    def mutated(place: int, kind: str, field: int, value: object) -> dict[str, object]:
        copy = json.loads(json.dumps(plain))
        inside = [copy, *copy["tasks"], *(one["retry"] for one in copy["tasks"] if "retry" in one)][place]
        names = [name for name in inside if name not in ("parameters", "retry_on")]
        if kind == "unknown" or not names:
            inside["unheard_of"] = value
        elif kind == "missing":
            inside.pop(names[field % len(names)])
        else:
            inside[names[field % len(names)]] = value
        return dict(copy)

    return st.builds(
        mutated,
        st.integers(0, len(places) - 1),
        st.sampled_from(["unknown", "missing", "type"]),
        st.integers(0, 7),
        wrong,
    )


@settings(deadline=None, max_examples=40)
@given(st.data(), documents())
def test_schema_and_reader_refuse_the_same(data: st.DataObject, document: PipelineDocument) -> None:
    plain = data.draw(mutations(json.loads(to_json(document))))
    try:
        from_text(json.dumps(plain), "it")
    except BadInput:
        read = False
    else:
        read = True
    assert read == VALID(plain)


FILE = "name: a\nuse_case: a\ntasks:\n- name: x\n"
FAULTS = {
    "empty": ("", "it: it is empty: expected a pipeline"),
    "comment alone": ("# a\n", "it: it is empty"),
    "a list": ("- a\n", 'it: expected a mapping with name, use_case and tasks, got ["a"]'),
    "a text": ("hello", 'got "hello"'),
    "no YAML": (FILE + "  y: [\n", "it, line 6, column 1: no YAML: while parsing a flow node"),
    "tabs": ("a: 1\n\tb: 1", "it, line 2, column 1: no YAML"),
    "a control character": ("name: \x00", "it: no YAML: unacceptable character #x0000"),
    "two documents": (f"{FILE}---\n{FILE}", "it, line 5, column 1: no YAML: expected a single document"),
    "a key twice": (FILE + "name: b\n", "it, line 5, column 1: the key 'name' is there twice"),
    "a key twice in JSON": ('{"name": "a", "name": "b"}', "it: the key 'name' is there twice"),
    "a number as key": (FILE + "1: b\n", "line 5, column 1: expected a text as key, got '1'"),
    "a list as key": (FILE + "[a]: b\n", "expected a text as key, got a list or mapping"),
    "a tag": (FILE + "parameters: !!python/name:os.system ''\n", "line 5, column 13: expected no tag, got"),
    "a tag that lies": (FILE + "version: !!int x\n", "line 5, column 10: 'x' is no int"),
    "another tag that lies": (FILE + "parameters: {a: !!bool yes}\n", "column 17: 'yes' is no bool"),
    "an alias to itself": (FILE + "parameters: &a {a: *a}\n", "expected at most 30 levels, got more"),
    "depth": ("[" * 1000, "expected at most 30 levels, got more"),
    "depth in JSON": ("[" * 40 + "]" * 40, "expected at most 30 levels, got more"),
    "half a character": ('{"name": "\\ud83e", "use_case": "a", "tasks": []}', "it: Invalid JSON: "),
    "size": ("a" * 1_000_001, "it: expected at most 1,000,000 characters, got 1,000,001"),
    "unknown field": (
        FILE + "shedule: {}\n",
        "it: shedule: there is no such field: did you mean 'schedule'?",
    ),
    "unlike any field": (FILE + "x: 1\n", "x: there is no such field: there are version, name, use_case,"),
    "unknown in a retry": (
        FILE + "  retry: {atempts: 2}\n",
        "tasks[0].retry.atempts: there is no such field: did you mean 'attempts'?",
    ),
    "missing": ("name: a\nuse_case: a\n", "it: tasks: it is missing"),
    "a text as number": (
        FILE + "  retry: {attempts: '4'}\n",
        'tasks[0].retry.attempts: expected a whole number, got "4"',
    ),
    "too few": (
        FILE + "  retry: {attempts: 0}\n",
        "tasks[0].retry.attempts: expected greater than or equal to 1, got 0",
    ),
    "a text as list": (FILE + "  upstream: x\n", 'tasks[0].upstream: expected a list, got "x"'),
    "null as text": ("name: null\nuse_case: a\ntasks: []\n", "name: expected a text, got null"),
    "two at once": ("name: 1\nuse_case: 2\ntasks: []", "name: expected a text, got 1; use_case: expected"),
    "newer": (FILE + "version: 2\n", "it: version: this mlops reads version 1 of such files, got 2"),
    "true is not 1": (
        FILE + "version: true\n",
        "version: this mlops reads version 1 of such files, got true",
    ),
    "infinite": (FILE + "parameters: {floor: 1e999}\n", "it: expected finite numbers"),
    "no time span": (
        FILE + "consent: {task: x, expires: later}\n",
        'consent.expires: expected a time span such as P7D or PT12H, got "later"',
    ),
    "no cron": (FILE + "schedule: {cron: daily}\n", "schedule.cron: expected the five fields of a cron"),
    "no zone": (
        FILE + "schedule: {cron: '0 6 * * 1', timezone: Berlin}\n",
        "schedule.timezone: expected the name of a time zone, such as Europe/Berlin, got 'Berlin'",
    ),
}


@pytest.mark.parametrize(("text", "said"), FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_with_a_file_is_said_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(BadInput) as raised:
        from_text(text, "it")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400


def test_aliases_that_multiply_are_refused() -> None:
    """Nine lines that stand for a thousand million values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(BadInput, match=r"at most 100,000 values, aliases followed"):
        from_text("\n".join(lines), "it")


def test_aliases_may_be_used() -> None:
    text = "name: a\nuse_case: a\ntasks:\n- name: x\n  retry: &r {attempts: 4}\n- name: y\n  retry: *r\n"
    assert [one.retry.attempts for one in from_text(text, "it").tasks] == [4, 4]


def test_words_that_yaml_1_1_takes_for_something_else_are_texts() -> None:
    """As in YAML 1.2, which editors read; a byte order mark and `$schema` are passed over."""
    text = "\ufeff$schema: x.json\nname: on\nuse_case: 12:30\nparameters: {as_of: 1998-06-30}\ntasks: []\n"
    found = from_text(text, "it")
    assert (found.name, found.use_case, found.parameters) == ("on", "12:30", {"as_of": "1998-06-30"})


def test_json_is_read_as_json() -> None:
    """Tabs and surrogate pairs, which are no YAML."""
    text = '{\t"name": "\\ud83e\\udd86",\n\t"use_case": "a",\n\t"tasks": []}'
    assert from_text(text, "it").name == "🦆"


@pytest.mark.parametrize("cron", ["0 6 * * 1", "*/5 0-6,12 1-31/2 jan-MAR mon,7", "  0   6 * * * "])
def test_a_cron_schedule_is_kept(cron: str) -> None:
    assert Schedule(cron=cron).cron == " ".join(cron.split())


FIVE = ["60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "6-1 * * * *", "-1 * * * *"]
STEPS = ["*/0 * * * *", "*/61 * * * *", "1-2-3 * * * *", "5/15 * * * *", "1, * * * *"]
WORDS = ["a * * * *", "* * MON * *", "* * L * *", "* * * * 1#2", "\u0663 * * * *"]


@pytest.mark.parametrize("cron", ["", "@daily", "0 6 * *", "0 0 0 6 * *", *FIVE, *STEPS, *WORDS])
def test_no_cron_schedule_is_refused(cron: str) -> None:
    with pytest.raises(ValueError, match=r"expected .* cron schedule"):
        Schedule(cron=cron)


def test_a_name_of_a_task_is_never_empty() -> None:
    with pytest.raises(ValueError, match="at least 1 character"):
        TaskEntry(name="")
