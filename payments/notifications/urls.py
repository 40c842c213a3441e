"""Addresses below /notify/, for providers."""

from __future__ import annotations

from django.urls import path

from payments.notifications.views import receive

app_name = "notify"
urlpatterns = [path("<slug:provider>/<slug:code>/", receive, name="receive")]
