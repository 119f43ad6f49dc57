"""Matches + predictions -> one probability a cause, through the cause graph.

Each match speaks in log-odds: what its rule is worth, where it stands, in which step. A cause takes its best match
and a little for each other rule that agrees. The graph moves weight from a symptom to a deeper cause that has
evidence of its own; without such evidence the deeper causes are named as possible. What is left is `unknown`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from logkb.records import Cause, Match, Prediction, Ranked, Role

STRENGTH = {"strong": 2.4, "medium": 0.6, "weak": -1.2}
LEVEL = {"error": 0.3, "warning": -1.5, "plain": 0.0}
AGREEMENT, MAX_AGREEMENT = 0.35, 3
CLASSIFIER_WEIGHT = 0.5
UNKNOWN = 0.0
# What fails first near the end of a build makes the rest fail: the earliest of the decisive lines gets a little more.
FIRST_GAIN = 0.6
DECISIVE = 2.8
SYMPTOM_LOSS = 3.0
DEEPER_GAIN = 0.6
# How much of a symptom's probability goes to deeper causes that the log does not show.
POSSIBLE = 0.25
MIN_CONFIDENCE = 0.01
MAX_EVIDENCE = 6


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the build died: the line and the step of the last verdict, and how long the log is."""

    line: int
    step: str | None
    lines: int
    clear: bool


def rank(
    matches: Sequence[Match], predictions: Sequence[Prediction], causes: Mapping[str, Cause], scene: Scene
) -> tuple[tuple[Ranked, ...], float]:
    """The causes with evidence or a prediction, most probable first, and the probability that none of them is it."""
    by_cause: dict[str, list[Match]] = {}
    for match in matches:
        if match.rule.cause is not None:
            by_cause.setdefault(match.rule.cause, []).append(match)
    worth = {id(match): _worth(match, scene) for group in by_cause.values() for match in group}
    ordered = {cause: sorted(group, key=lambda match: (-worth[id(match)], match.line)) for cause, group in by_cause.items()}
    first = min((match.line for match in matches if _decisive(match, worth)), default=0)
    logits = {
        cause: _cause_logit(group, worth) + (FIRST_GAIN if _first(group, worth, first) else 0.0)
        for cause, group in ordered.items()
    }
    for prediction in predictions:
        odds = math.log(max(prediction.probability, 1e-6) / max(1 - prediction.probability, 1e-6))
        logits[prediction.cause] = logits.get(prediction.cause, 0.0) + CLASSIFIER_WEIGHT * odds
    explained = _explain(logits, ordered, causes)
    for symptom, deeper in explained.items():
        logits[symptom] -= SYMPTOM_LOSS
        logits[deeper] += DEEPER_GAIN
    total = math.exp(UNKNOWN) + sum(math.exp(logit) for logit in logits.values())
    chances = {cause: math.exp(logit) / total for cause, logit in logits.items()}
    predicted = {prediction.cause for prediction in predictions}
    return _ranked(chances, ordered, causes, explained, predicted), math.exp(UNKNOWN) / total


def _worth(match: Match, scene: Scene) -> float:
    value = STRENGTH[match.rule.strength] + LEVEL[match.level]
    distance = scene.line - match.line
    if distance < -30:
        value -= 0.8
    elif distance <= 150:
        value += 0.8
    elif distance <= 1000:
        value += 0.3
    elif distance > 5000:
        value -= 0.8
    if scene.step and match.step:
        value += 0.4 if match.step == scene.step else -0.6
    return value if scene.clear else value - 0.8


def _decisive(match: Match, worth: Mapping[int, float]) -> bool:
    return match.rule.cause is not None and worth[id(match)] >= DECISIVE


def _first(group: Sequence[Match], worth: Mapping[int, float], line: int) -> bool:
    return any(match.line == line and _decisive(match, worth) for match in group)


def _cause_logit(group: Sequence[Match], worth: Mapping[int, float]) -> float:
    agreeing = len({match.rule.id for match in group}) - 1
    return worth[id(group[0])] + AGREEMENT * min(MAX_AGREEMENT, agreeing)


def _explain(logits: Mapping[str, float], ordered: Mapping[str, list[Match]], causes: Mapping[str, Cause]) -> dict[str, str]:
    """symptom -> the deeper cause that explains it: the likeliest of those that the log shows evidence for."""
    explained: dict[str, str] = {}
    for symptom in sorted(logits, key=lambda cause: logits[cause]):
        if symptom not in causes:
            continue
        candidates = [
            entry.cause
            for entry in causes[symptom].explained_by
            if entry.cause in ordered and _plausible(ordered[entry.cause], ordered.get(symptom, []), logits, entry.cause, symptom)
        ]
        candidates = [cause for cause in candidates if not _leads_to(explained, cause, symptom)]
        if candidates:
            explained[symptom] = max(candidates, key=lambda cause: logits[cause])
    return explained


def _plausible(deeper: Sequence[Match], shown: Sequence[Match], logits: Mapping[str, float], cause: str, symptom: str) -> bool:
    """The deeper cause has a strong line, or a fair one near the symptom, and not only a warning."""
    best = deeper[0]
    if best.level == "warning":
        return False
    if best.rule.strength == "strong":
        return logits[cause] > logits[symptom] - 3.0
    near = any(abs(one.line - other.line) <= 200 for one in deeper for other in shown)
    return best.rule.strength == "medium" and near and logits[cause] > logits[symptom] - 3.0


def _leads_to(explained: Mapping[str, str], start: str, goal: str) -> bool:
    for _ in range(len(explained) + 1):
        if start == goal:
            return True
        if start not in explained:
            return False
        start = explained[start]
    return True


def _ranked(
    chances: dict[str, float],
    ordered: Mapping[str, list[Match]],
    causes: Mapping[str, Cause],
    explained: Mapping[str, str],
    predicted: set[str],
) -> tuple[Ranked, ...]:
    possible = _possible(chances, ordered, causes, explained)
    found: list[Ranked] = []
    best = max(chances.values(), default=0.0)
    for identifier, chance in {**chances, **{cause: value for cause, (value, _) in possible.items()}}.items():
        if identifier not in causes or chance < MIN_CONFIDENCE:
            continue
        matches = _distinct(ordered.get(identifier, []))
        role: Role = "possible"
        if identifier in explained:
            role = "consequence"
        elif matches and (chance == best or chance >= 0.3):
            role = "cause"
        sources = (*(("rules",) if matches else ()), *(("classifier",) if identifier in predicted else ()))
        check = possible[identifier][1] if identifier in possible else None
        found.append(Ranked(causes[identifier], chance, role, matches, sources or ("graph",), check))
    return tuple(sorted(found, key=lambda item: (-item.confidence, item.role != "cause", item.cause.id)))


def _possible(
    chances: dict[str, float],
    ordered: Mapping[str, list[Match]],
    causes: Mapping[str, Cause],
    explained: Mapping[str, str],
) -> dict[str, tuple[float, str]]:
    """Deeper causes without evidence, for the leading symptom: their chance, taken from the symptom's, and the check."""
    leading = max((cause for cause in chances if cause not in explained), key=lambda cause: chances[cause], default=None)
    if leading is None or leading not in causes or leading not in ordered:
        return {}
    total, found = chances[leading], {}
    for entry in causes[leading].explained_by:
        if entry.cause not in chances and entry.cause in causes:
            moved = total * entry.share * POSSIBLE
            found[entry.cause] = (moved, entry.check)
            chances[leading] -= moved
    return found


def _distinct(matches: Sequence[Match]) -> tuple[Match, ...]:
    """The best matches, one a line."""
    seen: set[int] = set()
    kept = []
    for match in matches:
        if match.line not in seen:
            seen.add(match.line)
            kept.append(match)
    return tuple(kept[:MAX_EVIDENCE])
