"""Addresses of the bulk runs."""

from __future__ import annotations

from django.urls import path

from orders.bulk import views

app_name = "bulk"
urlpatterns = [
    path("", views.run_list, name="list"),
    path("preview/", views.preview, name="preview"),
    path("news/", views.news, name="news"),
    path("<uuid:run_id>/", views.run_detail, name="run"),
    path("<uuid:run_id>/progress/", views.progress, name="progress"),
    path("<uuid:run_id>/choose/", views.choose, name="choose"),
    path("<uuid:run_id>/start/", views.start, name="start"),
    path("<uuid:run_id>/stop/", views.stop, name="stop"),
    path("<uuid:run_id>/retry/", views.retry, name="retry"),
    path("<uuid:run_id>/result.csv", views.result_csv, name="result_csv"),
]
