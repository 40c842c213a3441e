"""Addresses of the exports."""

from __future__ import annotations

from django.urls import path

from orders.exports import views

app_name = "exports"
urlpatterns = [
    path("", views.export_list, name="list"),
    path("start/", views.start, name="start"),
    path("<uuid:export_id>/", views.detail, name="export"),
    path("<uuid:export_id>/progress/", views.progress, name="progress"),
    path("<uuid:export_id>/stop/", views.stop, name="stop"),
    path("<uuid:export_id>/delete/", views.delete, name="delete"),
    path("<uuid:export_id>/download/", views.download, name="download"),
]
