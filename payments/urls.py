"""Addresses below /payments/."""

from __future__ import annotations

from django.urls import path

from payments.views import (
    accounts,
    actions,
    attention,
    differences,
    log,
    nightly,
    nightly_settings,
    notifications,
    panel,
    payment_list,
    provider_list,
    undecided,
)

app_name = "payments"
urlpatterns = [
    path("", payment_list.payment_list, name="list"),
    path("status/<str:status>/", payment_list.status_page, name="status_page"),
    path("providers/<str:provider>/", provider_list.provider_list, name="provider_list"),
    path("accounts/", accounts.account_list, name="accounts"),
    path("accounts/<int:pk>/", accounts.account_edit, name="account"),
    path("attention/", attention.attention_list, name="attention"),
    path("differences/", differences.difference_list, name="differences"),
    path("differences/progress/", differences.difference_progress, name="differences_progress"),
    path("differences/start/", differences.difference_start, name="differences_start"),
    path("differences/<int:pk>/<str:action>/", differences.difference_action, name="difference"),
    path("stale-orders/", nightly.stale_order_list, name="stale_orders"),
    path("stale-orders/start/", nightly.stale_order_start, name="stale_orders_start"),
    path("stale-orders/adopt/<int:pk>/", nightly.adopt, name="stale_orders_adopt"),
    path("stale-orders/release/<int:pk>/", nightly.release_order, name="stale_orders_release"),
    path("stale-orders/<uuid:pk>/", nightly.stale_order_run, name="stale_run"),
    path("nightly/", nightly_settings.nightly_settings_edit, name="nightly_settings"),
    path("notifications/", notifications.notification_list, name="notifications"),
    path("notifications/<int:pk>/handled/", notifications.notification_handled, name="notification_handled"),
    path("undecided/<int:pk>/", undecided.undecided_operation, name="undecided"),
    path("orders/<int:order_id>/panel/", panel.payment_panel, name="panel"),
    path("<int:pk>/log/", log.payment_log, name="log"),
    path("<int:pk>/<str:action>/", actions.payment_action, name="action"),
]
