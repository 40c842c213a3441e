"""URLs of the demo checkout; included only where it exists (settings.DEMO_CHECKOUT)."""

from __future__ import annotations

from django.urls import path

from payments.views import checkout, checkout_request

app_name = "checkout"

urlpatterns = [
    path("", checkout.cart, name="cart"),
    path("card/", checkout.card, name="card"),
    path("number/", checkout_request.number, name="number"),
    path("pay/", checkout.pay, name="pay"),
    path("forget-card/", checkout.forget_card, name="forget_card"),
    path("back/", checkout.back, name="back"),
    path("result/", checkout.result, name="result"),
]
