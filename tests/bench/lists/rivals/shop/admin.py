"""The changelist as documented; `tuned` leaves the second count out, as the documentation advises."""

from __future__ import annotations

from django.contrib import admin

from tests.bench.lists.rivals.shop.models import IS_TUNED, Order


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """受注 with filters by status and provider and a search over the customer."""

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
    list_filter = ("status", "payment_provider")
    search_fields = ("name", "email", "phone")
    ordering = ("-ordered_at",)
    list_per_page = 50
    show_full_result_count = not IS_TUNED
