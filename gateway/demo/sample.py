"""What the demo starts from: settings, two accounts, a certificate, and a mail that should never have been sent like that."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = "sekisho-demo"  # noqa: S105 - it is printed on the screen, for loopback only
OFFICE = "office@sports.example.jp"
MANAGER = "manager@sports.example.jp"
CITIZENS = 30


def sample_recipients() -> list[str]:
    """Return thirty outside addresses."""
    return [f"citizen{number:02d}@example.com" for number in range(1, CITIZENS + 1)]


def sample_mail() -> bytes:
    """Return the mail of the everyday accident: thirty citizens in To, a colleague in Cc."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"スポーツセンター受付 <{OFFICE}>"
    mail["To"] = ", ".join(sample_recipients())
    mail["Cc"] = MANAGER
    mail["Subject"] = "テニス教室 日程変更のお知らせ"
    mail["Message-ID"] = f"<demo-{datetime.now(UTC):%Y%m%d%H%M%S%f}@sports.example.jp>"
    mail.set_content(
        "教室にお申し込みの皆さま\n\n雨天のため、明日の教室を来週に延期します。\n\nスポーツセンター\n"
    )
    return mail.as_bytes()


def write_curl_config(path: Path, mail: Path, port: int) -> None:
    """Write a file for `curl --config` that submits the sample mail over SMTP to all its recipients."""
    lines = [
        f'url = "smtp://127.0.0.1:{port}/sports.example.jp"',  # curl says EHLO with the path
        f'user = "office:{PASSWORD}"',
        f'mail-from = "{OFFICE}"',
        *(f'mail-rcpt = "{address}"' for address in [*sample_recipients(), MANAGER]),
        f'upload-file = "{mail}"',
        "no-progress-meter",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_certificate(certificate: Path, key_file: Path, host: str) -> None:
    """Write a self-signed certificate for loopback, so that STARTTLS can be tried; ECDSA P-256, one year."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [
        x509.DNSName(host),
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_file.touch(mode=0o600)
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
