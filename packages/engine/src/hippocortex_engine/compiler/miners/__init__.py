"""The miners: each a pure function of a corpus and parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hippocortex_engine.compiler.corpus import Corpus, Params
from hippocortex_engine.compiler.miners import (
    causal_pattern,
    decision_policy,
    facts,
    failure_playbook,
    task_schema,
)
from hippocortex_engine.records import Candidate

Miner = Callable[[Corpus, Params], list[Candidate]]

MINERS: Mapping[str, Miner] = {
    "task_schema": task_schema.mine,
    "failure_playbook": failure_playbook.mine,
    "causal_pattern": causal_pattern.mine,
    "decision_policy": decision_policy.mine,
    "fact": facts.mine,
}
