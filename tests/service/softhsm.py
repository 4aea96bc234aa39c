"""A token in software, in a folder of its own, with an Ed25519 key pair on it."""

from __future__ import annotations

import os
import subprocess
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path

import pkcs11
from pkcs11.util.ec import encode_named_curve_parameters

from consentkit.errors import ConfigurationError
from consentkit.service.signers import parse_key_uri

__all__ = ["PIN", "SoftHsm", "make_token", "refusal", "use"]

PIN = "horse-battery-1207"  # a word that would be noticed in a message
LABEL = "wallet"
_ED25519 = "1.3.101.112"  # RFC 8410


def _module() -> str:
    """Where the library lies; distributions differ."""
    usual = [
        Path("/usr/lib/softhsm/libsofthsm2.so"),
        Path("/usr/lib64/softhsm/libsofthsm2.so"),
        Path("/opt/homebrew/lib/softhsm/libsofthsm2.so"),
    ]
    found = [str(each) for each in usual if each.exists()]
    return found[0] if found else find_library("softhsm2") or "libsofthsm2.so"


@dataclass(frozen=True)
class SoftHsm:
    """One token, and the addresses of what is on it."""

    token: str
    folder: Path

    def uri(self, key: str, **changes: str) -> str:
        """The address of a key; ``changes`` replace or add attributes."""
        path = {"token": self.token, "object": key, "type": "private"}
        query = {"module-path": _module(), "pin-source": str(self.folder / "pin")}
        for name, value in changes.items():
            attribute = name.replace("_", "-")
            (path if attribute in ("token", "object", "id") else query)[attribute] = (
                value
            )
        if "pin_value" in changes:
            del query["pin-source"]
        return (
            "pkcs11:"
            + ";".join(f"{name}={value}" for name, value in path.items() if value)
            + "?"
            + "&".join(f"{name}={value}" for name, value in query.items() if value)
        )

    def add_key(self, label: str, key_id: bytes) -> None:
        """Make a key pair on the token; its private half never leaves it."""
        token = pkcs11.lib(_module()).get_token(token_label=self.token)
        with token.open(rw=True, user_pin=PIN) as session:
            curve = session.create_domain_parameters(
                pkcs11.KeyType.EC_EDWARDS,
                {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(_ED25519)},
                local=True,
            )
            curve.generate_keypair(
                mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
                store=True,
                label=label,
                id=key_id,
            )


def make_token(folder: Path) -> SoftHsm:
    """Initialise a token in a new folder; ``use`` it before the library is loaded."""
    (folder / "tokens").mkdir(parents=True)
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n"
    )
    (folder / "pin").write_text(f"{PIN}\n")
    (folder / "pin").chmod(0o600)
    use(folder)
    pins = ["--pin", PIN, "--so-pin", "so-" + PIN]
    subprocess.run(  # noqa: S603  our own arguments
        ["softhsm2-util", "--init-token", "--free", "--label", LABEL, *pins],  # noqa: S607  wherever the distribution has it
        check=True,
        capture_output=True,
    )
    return SoftHsm(LABEL, folder)


def use(folder: Path) -> None:
    """Point SoftHSM at that folder: it looks when this process first loads it."""
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")


def refusal(folder: Path, uri: str) -> str:
    """What a new process is told that opens this key; a login lasts a process long."""
    use(folder)
    try:
        _ = parse_key_uri(uri, label="CONSENTKIT_LOG_KEY").key
    except ConfigurationError as error:
        return str(error)
    return ""
