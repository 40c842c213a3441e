"""Every address of the back office."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path

from cagolab import home, views
from cagolab.audit.views import audit
from cagolab.security import office_views
from cagolab.security import views as security_views

urlpatterns = [
    path("", home.home, name="home"),
    path("login/", views.Login.as_view(), name="login"),
    path("login/code/", security_views.login_code, name="login_code"),
    path("logout/", views.Logout.as_view(), name="logout"),
    path("password/", views.PasswordChange.as_view(), name="password_change"),
    path("password/confirm/", security_views.password_confirm, name="password_confirm"),
    path("second-factor/", security_views.own_second_factor, name="second_factor"),
    path("second-factor/qr.svg", security_views.second_factor_qr, name="second_factor_qr"),
    path("audit/", audit, name="audit"),
    path("users/", office_views.user_list, name="users"),
    path("users/new/", office_views.user_new, name="user_new"),
    path("users/<int:pk>/", office_views.user_edit, name="user_edit"),
    path("users/<int:pk>/password/", office_views.renew_password, name="user_password"),
    path("users/<int:pk>/reset-factor/", office_views.reset_factor, name="user_reset_factor"),
    path("users/<int:pk>/active/", office_views.set_active, name="user_active"),
    path("users/locks/<int:pk>/release/", office_views.release, name="lock_release"),
    path("orders/", include("orders.urls")),
    path("bulk/", include("orders.bulk.urls")),
    path("exports/", include("orders.exports.urls")),
    path("payments/", include("payments.urls")),
    path("notify/", include("payments.notifications.urls")),
]
if settings.DEMO_CHECKOUT:
    urlpatterns.append(path("checkout/", include("payments.checkout_urls")))

handler403 = "cagolab.views.permission_denied"
handler404 = "cagolab.views.page_not_found"
handler500 = "cagolab.views.server_error"
