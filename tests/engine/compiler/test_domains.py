"""Other trades: a coding agent, a household robot, a web shop.  Whoever knows airlines fails here.

The runs are made up, but shaped like real ones: requests in varying words, detours, failures with
and without recovery, steps that come and go whatever was asked.
"""

from __future__ import annotations

import random

import pytest

STEMS = ("parser", "billing", "users", "cache", "search", "mailer", "orders")
FIXES = (
    "The test of {0} is failing, please fix the bug.",
    "Fix the bug in src/{0}.py: it crashes on empty input.",
    "There is a regression bug in {0}, find it and fix it.",
)
FEATURES = (
    "Add an option to {0} that limits the results.",
    "Please add an option for pagination to {0}.",
    "Add a command line option to {0}.",
)
UPGRADES = (
    "Upgrade the dependency requests to the newest version.",
    "Upgrade our httpx dependency and make sure it all works.",
    "Please upgrade every dependency, then check the build.",
)


def code(session, dice):
    stem = dice.choice(STEMS)
    kind = dice.choice((fix, add, upgrade))
    run = session()
    passed = kind(run, stem, dice)
    if passed and dice.random() < 0.3:
        run.runs("git commit -m wip", 1, "error: nothing added to commit").runs("git add -A")
    return (run.runs("git commit -m done") if passed else run).ends(passed)


def check(run, failed=0, output=""):
    run.event("test_run", {"framework": "pytest", "failed": failed, "output": output})


def edit(run, path, action="edit"):
    run.event("file_edit", {"path": path, "action": action})


def fix(run, stem, dice):
    run.user_says(dice.choice(FIXES).format(stem))
    check(run, 1, f"AssertionError: assert 3 == 4 in tests/test_{stem}.py")
    run.calls_tool("read_file", "def run(): ...", path=f"src/{stem}.py")
    edit(run, f"src/{stem}.py")
    if dice.random() < 0.8:
        check(run)
        return True
    return dice.random() < 0.2


def add(run, stem, dice):
    run.user_says(dice.choice(FEATURES).format(stem))
    run.calls_tool("read_file", "def run(): ...", path=f"src/{stem}.py")
    edit(run, f"src/{stem}.py")
    edit(run, f"tests/test_{stem}.py", "create")
    check(run)
    return True


def upgrade(run, _stem, dice):
    run.user_says(dice.choice(UPGRADES))
    edit(run, "pyproject.toml")
    if dice.random() < 0.5:
        run.runs("pip install -e .", 1, "ERROR: No matching distribution found for httpx==9.9")
        run.runs("pip index versions httpx", 0, "0.28")
        edit(run, "pyproject.toml")
    run.runs("pip install -e .", 0, "Successfully installed")
    check(run)
    return True


THINGS = {"heat": "mug", "cool": "tomato", "clean": "spoon", "": "book"}
DEVICES = {"heat": "microwave", "cool": "fridge", "clean": "sink"}
LOOKS = {"heat": "hot", "cool": "cool", "clean": "clean", "": "small"}


def tidy(session, dice):
    kind, thing = dice.choice(list(THINGS.items()))
    place = dice.choice(["shelf", "drawer", "counter", "sofa"])
    run = session().user_says(f"Put a {LOOKS[kind]} {thing} on the {place}, please.")
    for _ in range(dice.randint(1, 3)):
        run.calls_tool("go_to", "You see a lamp.", location=dice.choice(["cabinet", "desk", "bed"]))
    run.calls_tool("take", f"You pick up the {thing}.", object=thing)
    passed = True
    if kind:
        run.calls_tool("go_to", "You arrive.", location=DEVICES[kind])
        if kind == "heat" and dice.random() < 0.5:
            run.calls_tool("heat", "Error: the microwave is closed", object=thing)
            run.calls_tool("open", "You open it.", object="microwave")
        passed = dice.random() < 0.85
        if passed:
            run.calls_tool(kind, f"You {kind} the {thing}.", object=thing)
    return run.calls_tool("put", "You put it there.", object=thing, target=place).ends(passed)


ITEMS = ("red shoes", "desk lamp", "usb cable", "tea kettle", "garden hose", "wool scarf")


def shop(session, dice):
    item = dice.choice(ITEMS)
    run = session()

    def act(action, **fields):
        run.event("browser_action", {"action": action, "result": "done", **fields})

    if dice.random() < 0.5:
        run.user_says(f"Buy {item} for less than 40 dollars.")
        act("navigate", url="https://shop.example/")
        act("type", element="search box", text=item)
        for target in ("Search", item, "Add to cart", "Place order"):
            act("click", element=target)
    else:
        run.user_says(f"Return the {item}, it does not fit.")
        act("navigate", url="https://shop.example/")
        for target in ("My orders", item, "Return item", "Submit"):
            act("click", element=target)
    return run.ends(True)


def made(session, kind, count=80, seed=3):
    dice = random.Random(seed)
    return [kind(session, dice) for _ in range(count)]


def steps(found, words):
    """The steps of the one procedure that the words name."""
    [one] = [one for one in found if words in one.title.lower().partition(" without ")[0]]
    return [step["tool"] for step in one.content["steps"]]


def test_a_coding_agent_learns_each_kind_of_change(session, learn):
    found = learn(made(session, code), "task_schema")
    assert steps(found, "create *.py") == [
        "read_file",
        "edit *.py",
        "create *.py",
        "run tests (pytest)",
        "$ git commit",
    ]
    assert steps(found, "edit *.toml") == [
        "edit *.toml",
        "$ pip install",
        "run tests (pytest)",
        "$ git commit",
    ]


def test_a_coding_agents_detours_are_conditions_not_steps(session, learn):
    found = learn(made(session, code), "task_schema")
    assert not any("$ git add" in step["tool"] for one in found for step in one.content["steps"])
    [upgrading] = [one for one in found if "edit *.toml" in one.title.lower()]
    assert any(
        "`pip index` before the next try" in line for line in upgrading.content["on_failure"]
    )


def test_a_coding_agent_learns_from_its_failures(session, learn):
    found = learn(made(session, code), "failure_playbook")
    advice = {one.content["tool"]: one.content["recovery_steps"][0] for one in found}
    assert "`pip index`" in advice["$ pip install"]
    assert "`git add`" in advice["$ git commit"]
    assert "`edit *.py`" in advice["run tests (pytest)"]


@pytest.mark.parametrize("kind", ["heat", "cool", "clean"])
def test_a_household_robot_learns_what_each_request_needs_besides(session, learn, kind):
    found = learn(made(session, tidy), "task_schema")
    titled = [one for one in found if one.title == f"{kind.title()}, then put"]
    assert [step["tool"] for step in titled[0].content["steps"]] == ["go_to", "take", kind, "put"]
    others = sorted({"heat", "cool", "clean"} - {kind})
    assert titled[0].content["not_when"] == [f"the request needs `{others[0]}` or `{others[1]}`"]


def test_a_household_robot_opens_the_microwave_only_if_it_has_to(session, learn):
    found = learn(made(session, tidy), "task_schema")
    [heating] = [one for one in found if one.title == "Heat, then put"]
    assert "open" not in [step["tool"] for step in heating.content["steps"]]
    assert "`open` before the next try" in heating.content["on_failure"][0]


def test_on_the_web_what_is_clicked_makes_the_step_and_the_goods_do_not(session, learn):
    found = learn(made(session, shop), "task_schema")
    assert steps(found, "place order") == [
        "browser navigate",
        "browser type 'search box'",
        "browser click 'Search'",
        "browser click",
        "browser click 'Add to cart'",
        "browser click 'Place order'",
    ]
    assert not any(item in one.title for one in found for item in ITEMS)


@pytest.mark.parametrize("kind", [code, tidy, shop])
def test_every_procedure_says_when_it_applies_and_when_not(session, learn, kind):
    for one in learn(made(session, kind), "task_schema"):
        assert one.content["applies_when"]
        assert one.content["not_when"]
        assert one.content["support"]["sessions"] >= 2


@pytest.mark.parametrize("kind", [code, tidy, shop])
def test_shuffled_verdicts_give_next_to_no_causes_or_policies(session, learn, kind):
    dice = random.Random(5)
    runs = made(session, kind)
    found = 0
    for _ in range(20):
        for run in runs:
            run.events[-1].payload["success"] = dice.random() < 0.6
        told = [one for one in learn(runs, "causal_pattern") if "the run fails" in one.title]
        found += len(told) + len(learn(runs, "decision_policy"))
    assert found <= 1
