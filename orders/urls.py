"""Addresses below /orders/."""

from __future__ import annotations

from django.urls import path

from orders.views import calculation, create, document, edit, inline, mail, member, tracking_csv
from orders.views import list as list_views

app_name = "orders"
urlpatterns = [
    path("", list_views.order_list, name="list"),
    path("total/", list_views.total, name="total"),
    path("new/", create.create, name="new"),
    path("new/calculate/", create.calculate, name="new_calculate"),
    path("new/members/", member.members, name="new_members"),
    path("new/member/", member.choose, name="new_member"),
    path("new/products/", calculation.products, name="new_products"),
    path("tracking/", tracking_csv.upload, name="tracking_csv"),
    path("documents/", document.documents, name="documents"),
    path("<int:pk>/", edit.edit, name="edit"),
    path("<int:pk>/calculate/", calculation.calculate, name="calculate"),
    path("<int:pk>/products/", calculation.products, name="products"),
    path("<int:pk>/history/", edit.history, name="history"),
    path("<int:pk>/document/", document.document, name="document"),
    path("<int:pk>/mail/", mail.mail, name="mail"),
    path("<int:pk>/tracking/", inline.tracking, name="tracking"),
    path("<int:pk>/ship/", inline.ship, name="ship"),
]
