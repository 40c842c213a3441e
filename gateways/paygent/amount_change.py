"""A change of amount: a new payment takes the old one's place, in steps that survive the death of the process.

1. 094 of the old payment: nothing begins unless it is what the operator was shown.
2. 020 with the old card (`ref_trading_id`) under a trading_id that was written down before.
3. 022 of the new payment, where the result is a charge.
4. 021 or 023 of the old payment.
Each telegram has a note before and after it. Called again with the notes of an earlier run, the change asks
about both payments and goes on from how they stand. Only 020 makes a new payment and is therefore never sent
twice; the other telegrams can be executed once per payment_id only. Remaining risk: an authorization whose
answer was lost and that 094 cannot find stays open until a person looks for its trading_id.
"""

from __future__ import annotations

from dataclasses import replace

from gateways.interface import ChangeAmountRequest, Journal, PaymentReference
from gateways.outcomes import (
    Approved,
    Declined,
    NotFound,
    NotSent,
    Outcome,
    Reason,
    ReasonKind,
    Refused,
    Trade,
    Unknown,
)
from gateways.paygent import change_words, trading_ids
from gateways.paygent.change_steps import Next, next_step
from gateways.paygent.messages import (
    Authorize,
    CancelCapture,
    Capture,
    CorrectAuthorization,
    CorrectCapture,
    Void,
    payment_class,
)
from gateways.paygent.telegrams import CANCEL_LIMIT_PASSED, Seen, Telegrams
from gateways.vocabulary import PaymentStatus

# The note before and the note after a telegram.
_NOTES: dict[Next, tuple[str, str]] = {
    Next.CAPTURE_NEW: ("capturing", "captured"),
    Next.RELEASE_OLD: ("releasing", "released"),
    Next.UNDO_NEW: ("undoing", "undone"),
}
# Forward, refused, back, refused: more steps than this would be a circle.
_MOST_STEPS = 6
_YES = "1"
_CORRECTION = "correction"
_REFUSED = "refused"


class AmountChange:
    """One call of the verb. `corrects_decreases`: 028/029 where they do the same with one telegram."""

    def __init__(
        self,
        telegrams: Telegrams,
        payment: PaymentReference,
        request: ChangeAmountRequest,
        journal: Journal,
        *,
        corrects_decreases: bool,
    ) -> None:
        self._telegrams = telegrams
        self._payment = payment
        self._request = request
        self._journal = journal
        self._corrects_decreases = corrects_decreases
        self._old_id = self._new_id = ""
        self._old = self._new = PaymentStatus.EXCEPTION
        self._new_trade = Trade()
        self._undoing = False
        self._code = ""

    def run(self) -> Outcome:
        """Begin, or go on from the journal's notes."""
        return self._resume() if self._journal.progress.get("stage") else self._begin()

    def _begin(self) -> Outcome:
        seen = self._telegrams.look(
            self._journal,
            payment_id=self._payment.references.get("payment_id", ""),
            trading_id=self._own_trading_id(),
        )
        if isinstance(seen, NotFound):
            return Refused(reason=seen.reason)
        if not isinstance(seen, Seen):
            return NotSent(reason=change_words.not_begun(seen.reason))
        if difference := self._difference(seen):
            return Refused(reason=change_words.old_differs(difference, seen.code))
        self._old, self._old_id = seen.status, seen.trade.references["payment_id"]
        if self._is_correction():
            return self._correct()
        return self._authorize(seen.trade.references.get("trading_id", self._own_trading_id()))

    def _difference(self, seen: Seen) -> ReasonKind | None:
        sold = {PaymentStatus.SALES, PaymentStatus.CAPTURE}
        shown = PaymentStatus.SALES if self._payment.status in sold else self._payment.status
        if seen.status is not shown or shown not in {PaymentStatus.AUTH, PaymentStatus.SALES}:
            return ReasonKind.WRONG_STATE
        if seen.code == CANCEL_LIMIT_PASSED:
            return ReasonKind.TOO_LATE
        if seen.trade.amount not in {None, self._payment.amount}:
            return ReasonKind.AMOUNT_MISMATCH
        return None

    def _authorize(self, ref_trading_id: str) -> Outcome:
        trading_id = self._note_attempt(stage="authorizing")
        telegram = Authorize(
            trading_id=trading_id,
            payment_amount=self._request.amount,
            **payment_class(self._payment.installments),
            ref_trading_id=ref_trading_id,
        )
        outcome = self._telegrams.authorize(telegram, self._journal)
        if isinstance(outcome, Approved):
            self._keep_new(outcome.trade, PaymentStatus.AUTH, stage="authorized")
            return self._go_on()
        if isinstance(outcome, Unknown):
            return self._find_new(outcome.reason) or self._go_on()
        if not isinstance(outcome, NotSent) and self._is_there_all_the_same(trading_id):
            return self._go_on()
        return self._not_begun(outcome)

    def _is_there_all_the_same(self, trading_id: str) -> bool:
        """Whether 094 shows a live payment behind a "no": it would be a charge that nobody knows of."""
        seen = self._telegrams.look(self._journal, trading_id=trading_id)
        if not isinstance(seen, Seen) or seen.status not in {PaymentStatus.AUTH, PaymentStatus.SALES}:
            return False
        self._keep_new(seen.trade, seen.status, stage="authorized")
        return True

    def _is_correction(self) -> bool:
        same_result = (self._old is PaymentStatus.SALES) == (self._request.target is PaymentStatus.CAPTURE)
        return self._corrects_decreases and same_result and self._request.amount < self._payment.amount

    def _correct(self) -> Outcome:
        trading_id = self._note_attempt(stage="correcting", via=_CORRECTION)
        kind = CorrectCapture if self._old is PaymentStatus.SALES else CorrectAuthorization
        telegram = kind(trading_id=trading_id, payment_id=self._old_id, payment_amount=self._request.amount)
        outcome = self._telegrams.correct(telegram, self._journal)
        if isinstance(outcome, Approved):
            self._keep_new(outcome.trade, self._old, stage="corrected")
            return self._finished()
        if isinstance(outcome, Unknown):
            return self._find_new(outcome.reason) or self._corrected()
        if not isinstance(outcome, NotSent) and self._is_there_all_the_same(trading_id):
            return self._corrected()
        return self._not_begun(outcome)

    def _not_begun(self, outcome: Declined | Refused | NotSent) -> Outcome:
        """There is no new payment; the note spares the search for one."""
        self._journal.remember(stage=_REFUSED, code=outcome.reason.code)
        reason = change_words.old_stays(outcome.reason, old=self._old_id)
        return replace(outcome, reason=reason)

    def _resume(self) -> Outcome:
        notes = self._journal.progress
        self._old_id, self._new_id = notes["old_payment_id"], notes.get("new_payment_id", "")
        self._undoing = notes.get("undoing") == _YES
        self._code = notes.get("code", "")
        if notes["stage"] == _REFUSED:
            return Refused(reason=change_words.refused_before(self._code, old=self._old_id))
        nothing_known = Reason(kind=ReasonKind.NO_ANSWER)
        if not self._new_id and (lost := self._find_new(nothing_known)):
            return lost
        if notes.get("via") == _CORRECTION:
            return self._look_at_new() or self._corrected()
        return self._look_again() or self._go_on()

    def _go_on(self) -> Outcome:
        for _ in range(_MOST_STEPS):
            step = self._next()
            if step in _NOTES:
                if ended := self._send(step):
                    return ended
                continue
            return self._end(step)
        return self._under_way(Reason(kind=ReasonKind.OTHER, code=self._code))

    def _end(self, step: Next) -> Outcome:
        ids = {"old": self._old_id, "new": self._new_id}
        match step:
            case Next.FINISHED:
                return self._finished()
            case Next.DECLINED:
                return Declined(reason=change_words.declined_before())
            case Next.UNDONE:
                return Refused(reason=change_words.undone(self._code, **ids))
            case Next.BOTH_GONE:
                return Refused(reason=change_words.both_gone(self._code, **ids))
            case Next.NEEDS_PERSON:
                return self._two_live(Reason(kind=ReasonKind.OTHER, code=self._code))
            case _:
                return self._under_way(Reason(kind=ReasonKind.OTHER, code=self._code))

    def _next(self) -> Next:
        return next_step(old=self._old, new=self._new, target=self._request.target, undoing=self._undoing)

    def _send(self, step: Next) -> Outcome | None:
        """One telegram with its notes; None means: decide on the next one."""
        before, after = _NOTES[step]
        self._journal.remember(stage=before)
        outcome = self._telegrams.move(self._telegram(step), self._journal)
        if isinstance(outcome, Refused):
            return self._after_refusal(step, outcome.reason)
        if not isinstance(outcome, Approved):
            return self._under_way(outcome.reason)
        self._journal.remember(stage=after)
        match step:
            case Next.CAPTURE_NEW:
                self._new = PaymentStatus.SALES
            case Next.RELEASE_OLD:
                self._old = PaymentStatus.VOID
            case _:
                self._new = PaymentStatus.VOID
        return None

    def _telegram(self, step: Next) -> Void | Capture | CancelCapture:
        if step is Next.CAPTURE_NEW:
            return Capture(payment_id=self._new_id)
        if step is Next.UNDO_NEW:
            return Void(payment_id=self._new_id)
        if self._old is PaymentStatus.SALES:
            return CancelCapture(payment_id=self._old_id)
        return Void(payment_id=self._old_id)

    def _after_refusal(self, step: Next, reason: Reason) -> Outcome | None:
        self._code = reason.code
        if self._new is PaymentStatus.AUTH:
            self._undoing = True
            self._journal.remember(undoing=_YES, code=reason.code)
        if unclear := self._look_again():
            return unclear
        return self._two_live(reason) if self._next() is step else None

    def _look_again(self) -> Unknown | None:
        """Ask about both payments; None when both are known."""
        if unclear := self._look_at_new():
            return unclear
        seen = self._telegrams.look(self._journal, payment_id=self._old_id)
        if not isinstance(seen, Seen):
            return self._under_way(seen.reason)
        self._old = seen.status
        return None

    def _look_at_new(self) -> Unknown | None:
        seen = self._telegrams.look(self._journal, payment_id=self._new_id)
        if not isinstance(seen, Seen):
            return self._under_way(seen.reason)
        self._new, self._new_trade = seen.status, seen.trade
        return None

    def _find_new(self, reason: Reason) -> Unknown | None:
        """Look for the new payment under the trading_id that was written down; None when it is there."""
        trading_id = self._journal.progress["new_trading_id"]
        seen = self._telegrams.look(self._journal, trading_id=trading_id)
        if isinstance(seen, Seen):
            self._keep_new(seen.trade, seen.status, stage="authorized")
            return None
        absent = isinstance(seen, NotFound)
        is_told = absent or seen.reason.kind is ReasonKind.NOT_TOLD
        words = change_words.authorization_lost(
            seen.reason if is_told else reason, old=self._old_id, trading_id=trading_id, proven_absent=absent
        )
        return Unknown(reason=words)

    def _note_attempt(self, **notes: str) -> str:
        trading_id = trading_ids.of_new_attempt(self._payment.order_id)
        self._journal.remember(old_payment_id=self._old_id, new_trading_id=trading_id, **notes)
        return trading_id

    def _keep_new(self, trade: Trade, status: PaymentStatus, *, stage: str) -> None:
        self._new, self._new_trade = status, trade
        self._new_id = trade.references["payment_id"]
        self._journal.remember(stage=stage, new_payment_id=self._new_id)

    def _corrected(self) -> Outcome:
        """A correction has no steps: the new payment stands, whatever became of the old one."""
        if self._new in {PaymentStatus.AUTH, PaymentStatus.SALES}:
            return self._finished()
        return self._under_way(Reason(kind=ReasonKind.OTHER, code=self._new.value))

    def _finished(self) -> Approved:
        references = {
            **self._new_trade.references,
            "trading_id": self._journal.progress["new_trading_id"],
            "replaced_payment_id": self._old_id,
        }
        return Approved(
            trade=Trade(
                status=self._new,
                amount=self._request.amount,
                authorized_at=self._new_trade.authorized_at,
                captured_at=self._new_trade.captured_at,
                references=references,
            )
        )

    def _under_way(self, reason: Reason) -> Unknown:
        return Unknown(reason=change_words.under_way(reason, old=self._old_id, new=self._new_id))

    def _two_live(self, reason: Reason) -> Unknown:
        captured = PaymentStatus.SALES in {self._old, self._new}
        return Unknown(
            reason=change_words.two_live(reason, old=self._old_id, new=self._new_id, captured=captured)
        )

    def _own_trading_id(self) -> str:
        return self._payment.references.get("trading_id") or trading_ids.of_order(self._payment.order_id)
