"""May this be done to this payment now, and what exactly will happen? Pure; the clock is an argument.

The panel, the confirm dialog, the bulk preview and the service at the moment of the claim all ask here, so what
was shown is what is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType

from gateways.vocabulary import Action, PaymentStatus
from payments import action_decisions, gates
from payments.action_decisions import Decider
from payments.facts import Facts
from payments.permits import CaptureMode, Choices, Decision, Refusal

PANEL_ACTIONS = (
    Action.CAPTURE,
    Action.CANCEL,
    Action.CHANGE_AMOUNT,
    Action.GUIDED_CHANGE,
    Action.REAUTHORIZE,
    Action.INQUIRE,
)

_DECIDERS: Mapping[Action, Decider] = MappingProxyType(
    {
        Action.AUTHORIZE: action_decisions.authorize,
        Action.REQUEST: action_decisions.request,
        Action.CAPTURE: action_decisions.capture,
        Action.CANCEL: action_decisions.cancel,
        Action.CHANGE_AMOUNT: action_decisions.change_amount,
        Action.REAUTHORIZE: action_decisions.reauthorize,
        Action.GUIDED_CHANGE: action_decisions.guided_change,
        Action.INQUIRE: action_decisions.inquire,
    }
)


def decide(
    action: Action,
    facts: Facts,
    now: datetime,
    *,
    target: PaymentStatus | None = None,
    mode: CaptureMode | None = None,
    on: date | None = None,
) -> Decision:
    """What an action would do now, or why it is not possible.

    `target` (AUTH or CAPTURE) is the operator's choice for change_amount and reauthorize, `mode` for the capture
    of a differing amount, `on` the processing date where the provider needs one (today unless said). Choices
    that the table does not know are refused.
    """
    rule = gates.admit(action, facts, now, target=target)
    if isinstance(rule, Refusal):
        return rule
    return _DECIDERS[action](facts, now, rule, Choices(target=target, mode=mode, on=on))


def available(facts: Facts, now: datetime) -> Mapping[Action, Decision]:
    """The decision for each action of the panel, with the operator's defaults."""
    return {action: decide(action, facts, now) for action in PANEL_ACTIONS}
