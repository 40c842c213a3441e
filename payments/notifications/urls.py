"""Addresses below /notify/, for providers."""

from __future__ import annotations

from django.urls import path

from payments.notifications.views import gmopg

app_name = "notify"
urlpatterns = [path("gmopg/<slug:code>/", gmopg, name="gmopg")]
