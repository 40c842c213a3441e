"""Fill an empty demo shop. Does nothing where orders exist; refuses outside the demo."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cagolab.demo.seed import DemoShop, is_filled
from orders.models import Order


class Command(BaseCommand):
    """`manage.py seed_demo`: about 300 orders with card payments that really went through the sandbox."""

    help = "Fill an empty demo shop with orders whose card payments really went through the sandbox."

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill the shop once."""
        if not settings.SANDBOX_URL:
            raise CommandError("seed_demo works with the sandbox only: SANDBOX_URL is not set.")
        if is_filled():
            return
        if Order.objects.exists():
            raise CommandError("The demo shop was filled only in part: start over with make demo-reset.")
        DemoShop(report=self.stdout.write).fill()
        self.stdout.write(f"The demo shop has {Order.objects.count()} orders.")
