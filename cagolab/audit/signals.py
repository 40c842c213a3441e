"""Logins, logouts and changes of users, written to 操作履歴 whichever way they happen."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import m2m_changed, post_init, post_save
from django.http import HttpRequest

from cagolab.audit.entries import Kind, record
from cagolab.models import SecondFactor
from cagolab.security import initial_password, reauthentication, second_factor, sessions

UNKNOWN_LOGIN = "登録のないログインID"
_FLAGS = {"is_active": "利用", "is_superuser": "全権限"}
_BEFORE = "_flags_before"


def connect() -> None:
    """Listen; called once when the app is ready."""
    user_logged_in.connect(_logged_in, dispatch_uid="cagolab.audit.logged_in")
    user_logged_out.connect(_logged_out, dispatch_uid="cagolab.audit.logged_out")
    user_login_failed.connect(_login_failed, dispatch_uid="cagolab.audit.login_failed")
    post_init.connect(_user_read, sender=User, dispatch_uid="cagolab.audit.user_read")
    post_save.connect(_user_saved, sender=User, dispatch_uid="cagolab.audit.user_saved")
    m2m_changed.connect(_roles_changed, sender=User.groups.through, dispatch_uid="cagolab.audit.roles")


def _logged_in(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    """The password was right: start the session's limits, and ask for the code of whoever has an app."""
    sessions.start(request.session)
    reauthentication.given(request.session)
    initial_password.logged_in(user, request.session)
    request.session.pop(second_factor.STATE, None)
    detail = "パスワードを確認しました。"
    if SecondFactor.objects.filter(user=user).exists():
        request.session[second_factor.STATE] = second_factor.WANTED
        detail += "続けて認証コードを確認します。"
    record(Kind.LOGIN, request, actor=user, target=user.get_username(), detail=detail)


def _logged_out(sender: Any, request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        record(Kind.LOGOUT, request, actor=user, target=user.get_username())


def _login_failed(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    # What nobody is called may be a password in the wrong field: it is not written down.
    username = str(credentials.get("username", ""))
    user = User.objects.filter(username=username).first()
    if user is None:
        record(Kind.LOGIN_FAILED, request, actor_name=UNKNOWN_LOGIN, detail=f"{UNKNOWN_LOGIN}でした。")
        return
    why = "パスワードが違います。" if user.is_active else "利用が停止されています。"
    record(Kind.LOGIN_FAILED, request, actor=user, target=username, detail=why)


def _user_read(sender: type[User], instance: User, **_: Any) -> None:
    deferred = instance.get_deferred_fields()
    flags = {name: getattr(instance, name) for name in _FLAGS if name not in deferred}
    setattr(instance, _BEFORE, flags)


def _user_saved(sender: type[User], instance: User, created: bool, raw: bool = False, **_: Any) -> None:
    before = {} if created else getattr(instance, _BEFORE, {})
    if created:
        record(Kind.USER, None, target=instance.get_username(), detail="利用者を登録しました。")
    for name, label in _FLAGS.items():
        is_on = getattr(instance, name)
        was_on = before.get(name, is_on if name == "is_active" or not created else False)
        if is_on != was_on:
            record(
                Kind.USER,
                None,
                target=instance.get_username(),
                detail=f"{label}：{_word(was_on)} → {_word(is_on)}",
            )
    _user_read(sender, instance)


def _roles_changed(
    sender: Any, instance: User | Group, action: str, pk_set: set[int] | None, reverse: bool, **_: Any
) -> None:
    if action == "pre_clear":
        _note_roles(instance, "外しました", reverse=reverse, pk_set=None)
    elif action == "post_add" and pk_set:
        _note_roles(instance, "付けました", reverse=reverse, pk_set=pk_set)
    elif action == "post_remove" and pk_set:
        _note_roles(instance, "外しました", reverse=reverse, pk_set=pk_set)


def _note_roles(instance: User | Group, verb: str, *, reverse: bool, pk_set: set[int] | None) -> None:
    """One entry per user. `reverse` is group.user_set, where the keys are those of users."""
    if isinstance(instance, Group):
        found = instance.user_set.all() if pk_set is None else User.objects.filter(pk__in=pk_set)
        pairs = [(user.get_username(), instance.name) for user in found]
    else:
        groups = instance.groups.all() if pk_set is None else Group.objects.filter(pk__in=pk_set)
        pairs = [(instance.get_username(), group.name) for group in groups]
    for username, role in pairs:
        record(Kind.USER, None, target=username, detail=f"権限「{role}」を{verb}。")


def _word(is_on: bool) -> str:
    return "有効" if is_on else "停止"
