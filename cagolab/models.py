"""What the office keeps about its own people: who did what, wrong logins, and second factors."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """操作履歴 of what leaves no other row: logins, settings, roles, files, starts of bulk runs (X-6).

    Rows can be neither changed nor deleted (0001), so a user who has left is deactivated, not deleted.
    Holds no password, no code and no card data; `target` and `detail` are words of the screen.
    """

    class Kind(models.TextChoices):
        LOGIN = "login", "ログイン"
        LOGIN_FAILED = "login_failed", "ログイン失敗"
        LOCKED = "locked", "ログイン停止"
        UNLOCKED = "unlocked", "ログイン停止の解除"
        LOGOUT = "logout", "ログアウト"
        PASSWORD = "password", "パスワード"
        SECOND_FACTOR = "second_factor", "2段階認証"
        USER = "user", "利用者・権限"
        SETTING = "setting", "設定変更"
        EXPORT = "export", "ファイル出力"
        IMPORT = "import", "ファイル取込"
        BULK = "bulk", "一括処理"

    at = models.DateTimeField()
    kind = models.CharField(max_length=16, choices=Kind.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    actor_name = models.CharField(max_length=150)
    ip_address = models.GenericIPAddressField(null=True)
    target = models.CharField(max_length=200, blank=True)
    detail = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["at", "id"], name="audit_newest"),
            models.Index(fields=["actor", "at", "id"], name="audit_of_actor_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.target}"


class LoginThrottle(models.Model):
    """How often somebody was wrong, per scope and key. `key` is a keyed digest, `tries` counts since a pause.

    `locked_until` lies in the past once the lock is over. Times are the machine's: the demo's clock may jump.
    """

    scope = models.CharField(max_length=12)
    key = models.CharField(max_length=64)
    # For the administrator's list; None where the login id is nobody's.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    address = models.GenericIPAddressField(null=True)
    tries = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="throttle_scope_key_unique")]
        indexes = [models.Index(fields=["last_at"], name="throttle_last_at")]

    def __str__(self) -> str:
        return f"{self.scope} {self.tries}"


class InitialPassword(models.Model):
    """A password that an administrator has given somebody: good once, to choose one's own. Gone afterwards."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="initial_password"
    )
    # The machine's time, as for everything about logins.
    issued_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"初期パスワード {self.user_id}"


class SecondFactor(models.Model):
    """The authenticator app of one user: its secret, encrypted, and the last time step that was used."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="second_factor"
    )
    sealed_secret = models.TextField()
    # A code is good once: only later steps are accepted.
    last_step = models.BigIntegerField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"2段階認証 {self.user_id}"


class RecoveryCode(models.Model):
    """One way in without the app: the digest of 80 random bits, deleted when it was used."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes"
    )
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_unique")]

    def __str__(self) -> str:
        return f"復旧コード {self.user_id}"
