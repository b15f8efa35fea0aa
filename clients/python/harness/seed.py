"""Accounts declared up front. Everything is derived from names, so every run has the same ids and secrets."""

import hashlib
import json
import string
from dataclasses import dataclass, field

ALPHANUMERIC = string.ascii_letters + string.digits
UPPER_ALPHANUMERIC = string.ascii_uppercase + string.digits

ENCRYPT_ONLY = ["kms:Encrypt", "kms:DescribeKey"]
KEY_KEEPER = ["cam:CreateAccessKey", "cam:UpdateAccessKey", "cam:DeleteAccessKey", "cam:ListAccessKeys"]
DENIED = ["kms:Encrypt", "kms:BindCloudResource", "kms:CreateKey"]


def letters(name: str, length: int, alphabet: str = ALPHANUMERIC) -> str:
    """A fixed pseudo-random text of that length for that name."""
    out, counter = "", 0
    while len(out) < length:
        digest = hashlib.sha256(f"{name}/{counter}".encode()).digest()
        out += "".join(alphabet[byte % len(alphabet)] for byte in digest)
        counter += 1
    return out[:length]


def hex_id(name: str) -> str:
    """32 lower-case hex digits: the shape of Huawei's project, domain and user ids."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class AccessKey:
    """A permanent pair; either cloud's dialect accepts either shape."""

    id: str
    secret: str

    @staticmethod
    def tencent(name: str) -> "AccessKey":
        return AccessKey("AKID" + letters(name + "/id", 32), letters(name + "/secret", 32))

    @staticmethod
    def huawei(name: str) -> "AccessKey":
        return AccessKey(
            letters(name + "/ak", 20, UPPER_ALPHANUMERIC), letters(name + "/sk", 40)
        )


@dataclass(frozen=True)
class User:
    """Someone who signs; `keys[0]` is the pair used unless a test says otherwise."""

    name: str
    uin: int
    user_id: str
    password: str
    keys: tuple[AccessKey, ...]
    policies: tuple[str, ...] = ()


def policy(effect: str, actions: list[str]) -> dict:
    return {"effect": effect, "action": actions, "resource": ["*"]}


POLICIES = {
    "enc-only": [policy("allow", ENCRYPT_ONLY)],
    "key-keeper": [policy("allow", KEY_KEEPER)],
    "deny-some": [policy("deny", DENIED)],
}


@dataclass(frozen=True)
class Account:
    """A tenant: Tencent's root uin and Huawei's domain are two names of it."""

    name: str
    index: int

    @property
    def uin(self) -> int:
        return 100_000_000_000 + self.index * 100

    @property
    def app_id(self) -> int:
        return 1_250_000_000 + self.index

    @property
    def domain_id(self) -> str:
        return hex_id(f"{self.name}/domain")

    @property
    def project_id(self) -> str:
        return hex_id(f"{self.name}/project")

    @property
    def password(self) -> str:
        return letters(f"{self.name}/password", 20) + "!9a"

    @property
    def keys(self) -> tuple[AccessKey, AccessKey]:
        """The root's two pairs, one in each cloud's shape."""
        return (AccessKey.tencent(f"{self.name}/root"), AccessKey.huawei(f"{self.name}/root"))

    @property
    def key(self) -> AccessKey:
        return self.keys[0]

    def user(self, name: str) -> User:
        """One of the seeded users: admin, alice (no policy), encrypter, keeper, denied, spare."""
        position = USERS.index(name) + 1
        return User(
            name,
            self.uin + position,
            hex_id(f"{self.name}/{name}"),
            letters(f"{self.name}/{name}/password", 20) + "!9a",
            (AccessKey.tencent(f"{self.name}/{name}"),),
            GRANTED[name],
        )

    @property
    def users(self) -> list[User]:
        return [self.user(name) for name in USERS]

    @property
    def secrets(self) -> list[str]:
        """Every text that must never be stored or logged in clear."""
        own = [key.secret for key in self.keys] + [self.password]
        return own + [text for u in self.users for text in (u.password, *(k.secret for k in u.keys))]


GRANTED = {
    "admin": ("AdministratorAccess",),
    "alice": (),
    "denied": ("AdministratorAccess", "deny-some"),
    "encrypter": ("enc-only",),
    "keeper": ("key-keeper",),
    "spare": ("AdministratorAccess",),
}
USERS = sorted(GRANTED)


@dataclass
class Seed:
    """A whole seed file: accounts, and keys that exist from the start."""

    accounts: list[Account]
    keys: dict[str, list[dict]] = field(default_factory=dict)

    def toml(self) -> str:
        return "\n".join(account_toml(a, self.keys.get(a.name, [])) for a in self.accounts)


def table(header: str, **values) -> str:
    # A JSON string, number or array of strings is also a TOML one.
    rows = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return "\n".join([header, *rows, ""])


def account_toml(account: Account, keys: list[dict]) -> str:
    parts = [
        table(
            "[[account]]",
            uin=account.uin,
            app_id=account.app_id,
            domain_id=account.domain_id,
            domain_name=account.name,
            project_id=account.project_id,
            password=account.password,
        )
    ]
    parts += [
        table("[[account.access_key]]", id=k.id, secret=k.secret, status="Active") for k in account.keys
    ]
    for name, statement in POLICIES.items():
        document = json.dumps({"version": "2.0", "statement": statement})
        parts.append(table("[[account.policy]]", name=name, document=document))
    for user in account.users:
        parts.append(
            table(
                "[[account.user]]",
                name=user.name,
                uin=user.uin,
                user_id=user.user_id,
                password=user.password,
                policies=list(user.policies),
            )
        )
        parts += [table("[[account.user.access_key]]", id=k.id, secret=k.secret) for k in user.keys]
    for key in keys:
        rows = {name: value for name, value in key.items() if name != "tags"}
        parts.append(table("[[account.key]]", **rows))
        tags = ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in key.get("tags", {}).items())
        parts.append(f"tags = {{ {tags} }}\n")
    return "\n".join(parts)
