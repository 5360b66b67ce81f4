"""Secrets are compared in constant time: no `==` in the code touches one, and the list of comparisons is in the docs.

An equality of strings or octets ends at the first difference, and its time tells how far a guess was right.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.process import ROOT

SECRET = re.compile(
    r"password|passwd|secret|seal|signature|token|hmac|digest|credential|csrf|wrapped", re.IGNORECASE
)
COMPARED = re.compile(
    r"compare_digest|PasswordHasher|URLSafeTimedSerializer|URLSafeSerializer|AESGCM|ChaCha20Poly1305"
)

_OF_CHECKPOINT = "of a checkpoint, which anybody can compute"

ALLOWED = {  # and why nobody learns anything from its time
    ("gateway/audit/pruning.py", "found[0].digest != event.detail.get('digest')"): _OF_CHECKPOINT,
    ("gateway/audit/named.py", "found.get(number, digest) == digest"): _OF_CHECKPOINT,
    ("gateway/audit/signed_walk.py", "named.get(each.number) != each.digest"): _OF_CHECKPOINT,
    (
        "gateway/audit/pruning.py",
        "named_by(queries, cut.at - AROUND).get(cut.number) != cut.digest",
    ): _OF_CHECKPOINT,
    (
        "gateway/audit/checkpoints.py",
        "named.get(before.number, before.digest) != before.digest",
    ): _OF_CHECKPOINT,
    ("gateway/audit/signed_walk.py", "named.get(each.number, each.digest) != each.digest"): _OF_CHECKPOINT,
    ("gateway/api/calls.py", "_C.token == bindparam('b_token')"): "a token's number, which is no secret",
    ("gateway/api/calls.py", "bytes(before) != digest"): "of what the client itself has sent",
    (
        "gateway/console/people/doors.py",
        "self.site.desk.links.unseal(secret, dict(fields).get('seal', '')) == _SEALED",
    ): "what was sealed, after its signature held",
    (
        "gateway/console/gate.py",
        "self._links.unseal(session.key, dict(fields).get('seal', '')) == {'form': 1}",
    ): "what was sealed, after its signature held",
    (
        "gateway/audit/verify.py",
        "digest(prev, row[:-2], last.node) != hash_",
    ): "a hash that anybody can compute",
    (
        "gateway/config/policies.py",
        "before.digest == policy.digest",
    ): "the hash of the policy, which is shown",
    (
        "gateway/config/policies.py",
        "policy.digest != self._policy.digest",
    ): "the same",
    (
        "gateway/console/desk.py",
        "self.links.unseal(token, seal) == {'form': 1}",
    ): "what stands in a seal that held",
    ("gateway/delivery/proof.py", "len(record.data) == DIGEST_OCTETS.get(record.matching, -1)"): "a length",
    (
        "gateway/evidence/content/ppt.py",
        "struct.unpack_from('<I', head, 12)[0] == _ENCRYPTED_TOKEN",
    ): "a constant of the file format",
    ("gateway/link_signing.py", "written != signature"): "both sides are what the client sent",
    ("gateway/message/mime_part.py", "within == 'multipart/digest'"): "a media type",
    ("gateway/policy/replay.py", "policy.digest == then.digest"): "the hash of the policy, which is shown",
    (
        "gateway/receive/proxy_header.py",
        "octets[:len(V2_SIGNATURE)] == V2_SIGNATURE[:len(octets)]",
    ): "a constant",
    ("gateway/sealing/writing.py", "sealed.content_type != ARCHIVE_TYPE"): "a media type",
    ("gateway/store/keys.py", "len(secret) != KEY_BYTES"): "a length",
    ("gateway/store/keys.py", "secret != leader._secret"): "our own keys, to one another, in a command",
    ("gateway/store/manifest.py", "said != _digest(data)"): "a checksum of a backup",
}


def equalities() -> Iterator[tuple[str, str]]:
    """Yield file and text of every == and != with a name in it that sounds like a secret."""
    for path in sorted((ROOT / "gateway").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
                text = ast.unparse(node)
                if SECRET.search(text):
                    yield str(path.relative_to(ROOT)), text


def test_no_equality_touches_a_secret() -> None:
    assert set(equalities()) == set(ALLOWED)


def test_the_docs_name_every_file_that_compares_secrets() -> None:
    docs = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    files = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "gateway").rglob("*.py"))
        if COMPARED.search(path.read_text(encoding="utf-8"))
    ]
    assert [name for name in files if f"`{name}`" not in docs] == []
