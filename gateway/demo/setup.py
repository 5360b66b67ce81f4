"""Write what the demo starts from into its folder; what is there from an earlier run stays."""

from __future__ import annotations

from pathlib import Path

from gateway.config.delivery_settings import Delivery, Smarthost
from gateway.config.incident_settings import Incidents
from gateway.config.settings import Listen, Log, Settings, Smtp, Tls, Web
from gateway.config.sign_in_settings import SignIn
from gateway.demo.sample import (
    MANAGER,
    OFFICE,
    PASSWORD,
    sample_mail,
    write_certificate,
    write_curl_config,
)
from gateway.people.passwords import hasher
from gateway.receive.account import Account
from gateway.receive.accounts_file import write
from gateway.values import dataclass

HOST = "127.0.0.1"
OFFICER = "privacy@city.example.lg.jp"  # who hears of mail that went to the wrong people


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo's folder and ports."""

    folder: Path
    policies: Path
    smtp_port: int
    web_port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.web_port}"

    @property
    def curl_config(self) -> Path:
        return self.folder / "send.curl"

    @property
    def sample(self) -> Path:
        return self.folder / "sample.eml"

    @property
    def arrived(self) -> Path:
        return self.folder / "arrived"

    def prepare(self) -> None:
        """Write accounts, certificate, the sample mail and the file for curl."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        accounts = self.folder / "accounts.yaml"
        if not accounts.exists():
            password = hasher().hash(PASSWORD)
            logins = {"office": OFFICE, "manager": MANAGER}
            write(
                accounts,
                tuple(Account(login=n, password=password, addresses=(a,)) for n, a in logins.items()),
            )
        if not (self.folder / "tls.key").exists():
            write_certificate(self.folder / "tls.crt", self.folder / "tls.key", "sekisho.example")
        self.sample.write_bytes(sample_mail())
        write_curl_config(self.curl_config, self.sample, self.smtp_port)

    def settings(self, next_hop_port: int) -> Settings:
        """Return the settings of the demo: everything on loopback, AUTH also without TLS."""
        return Settings(
            hostname="sekisho.example",
            state=self.folder,
            policies=self.policies,
            accounts=self.folder / "accounts.yaml",
            smtp=Smtp(
                listen=(Listen(host=HOST, port=self.smtp_port),),
                tls=Tls(certificate=self.folder / "tls.crt", key=self.folder / "tls.key"),
                auth_requires_tls=False,
            ),
            delivery=Delivery(smarthost=Smarthost(host=HOST, port=next_hop_port, tls="off")),
            web=Web(listen=Listen(host=HOST, port=self.web_port), public_url=self.url),
            sign_in=SignIn(totp_required=()),
            incidents=Incidents(privacy_officer=(OFFICER,)),
            log=Log(level="warning"),
        )
