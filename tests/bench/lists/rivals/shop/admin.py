"""The changelist as documented; `tuned` leaves the second count out, as the documentation advises."""

from __future__ import annotations

import os

from django.contrib import admin

from tests.bench.lists.rivals.shop.models import Order


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """受注 with a filter by status and a search over the customer."""

    list_display = (
        "number",
        "ordered_at",
        "name",
        "email",
        "phone",
        "payment_method_name",
        "payment_total",
        "status",
        "payment_status",
    )
    list_filter = ("status",)
    search_fields = ("name", "email", "phone")
    ordering = ("-ordered_at",)
    list_per_page = 50
    show_full_result_count = os.environ.get("ADMIN_VARIANT") != "tuned"
