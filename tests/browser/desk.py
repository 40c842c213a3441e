"""An operator's desk: a browser that is logged in, a shop with paid orders, and the ledger of the provider."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from cagolab import clock
from orders import checkout
from orders.models import Order, PaymentMethod, Product
from payments.models import Payment
from tests.gateway_world import World

PASSWORD = "correct-horse-battery"
PHONE = {"width": 390, "height": 844}
# The browser reports every answer of 4xx as an error; here they are conversation (422, 409, 403).
_ANSWERED = "Failed to load resource"


class Desk:
    """One page of one browser, and what an operator does with it.

    `complaints` collects script errors, console errors and breaches of the content security policy.
    """

    def __init__(self, page: Page, url: str, world: World, complaints: list[str]) -> None:
        self.page = page
        self.url = url
        self.world = world
        self.complaints = complaints
        self._listen(page)

    @property
    def dialog(self) -> Locator:
        return self.page.locator("#dialog")

    @property
    def panel(self) -> Locator:
        return self.page.locator("#payment-panel")

    @property
    def flash(self) -> Locator:
        """The region that screen readers announce."""
        return self.page.locator("#flash[aria-live=polite]")

    @property
    def confirm(self) -> Locator:
        """The dialog's button that moves money."""
        return self.dialog.locator("button[type=submit]")

    def sign_in(self, name: str = "operator", role: str = "決済操作") -> None:
        """Put a session of a user with the role into the browser; the login page has tests of its own."""
        user, created = User.objects.get_or_create(username=name, defaults={"last_name": "田中"})
        if created:
            user.set_password(PASSWORD)
            user.save()
            user.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(user)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.url}
        self.page.context.add_cookies([cookie])  # type: ignore[list-item]  # a plain dict of text

    def log_in(self, name: str = "operator") -> None:
        """Fill in the login page."""
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", PASSWORD)
        self.page.get_by_role("button", name="ログイン").click()

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)

    def open_order(self, payment: Payment) -> None:
        self.open(f"/orders/{payment.order_id}/")

    def ask(self, action: str) -> None:
        """Open the confirm dialog of an action by its button."""
        button = self.page.locator(f"#payment-{action}")
        expect(button).to_be_visible()
        when_ready(self.page)
        button.click()
        expect(self.dialog).to_be_visible()

    def beside(self, browser: Browser) -> Desk:
        """Another browser of the same operator, with cookies of its own."""
        context: BrowserContext = browser.new_context(locale="ja-JP")
        other = Desk(context.new_page(), self.url, self.world, self.complaints)
        other.sign_in()
        return other

    def bought(
        self, quantity: int = 1, *, name: str = "山田 花子", kana: str = "ヤマダ ハナコ", stock: int = 99
    ) -> Payment:
        """An order of shirts (2,200 yen with tax each, and 500 yen delivery), paid at the checkout."""
        method, _ = PaymentMethod.objects.get_or_create(
            name="クレジットカード決済", defaults={"kind": "card", "account": "gmo"}
        )
        shirt, _ = Product.objects.get_or_create(
            code="shirt", defaults={"name": "白シャツ", "price": 2000, "stock": stock}
        )
        order = checkout.leave_cart(
            items=[checkout.CartItem(product=shirt, quantity=quantity)],
            buyer=checkout.Buyer(name=name, kana=kana, email="hanako@example.jp", prefecture="東京都"),
            method=method,
            delivery_fee=500,
            used_points=0,
            now=clock.now(),
        )
        checkout.enter_card_page(order_id=order.pk, now=clock.now())
        return Payment.objects.get(pk=self.world.authorize(Order.objects.get(pk=order.pk)).payment_id)

    def moved(self, payment: Payment) -> list[tuple[str, int]]:
        """What the provider executed for the payment: (action, yen)."""
        return self.world.moved(payment)

    def _listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))

        def hear(message: object) -> None:
            kind, text = str(getattr(message, "type", "")), str(getattr(message, "text", ""))
            if kind == "error" and not text.startswith(_ANSWERED):
                self.complaints.append(f"{page.url}: {text}")

        page.on("console", hear)


def when_ready(page: Page) -> None:
    """Wait for the scripts of a page that a click has led to; without them, forms and buttons lead to pages."""
    page.wait_for_load_state("load")


def sideways(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    wider: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider
