from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bezoar.run.secrets import without_secrets

SECRET = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=12, max_size=20).map(lambda s: "Q" + s)


@given(SECRET)
def test_secrets_stay_out_of_run_json(secret: str) -> None:
    lines = [
        ["--token", secret],
        [f"--hf-token={secret}"],
        ["--password", secret],
        [f"https://me:{secret}@host/x"],
        [f"s3://b/x?X-Amz-Signature={secret}&y=1"],
        [f"hf_{secret}"],
    ]
    for words in lines:
        assert secret not in " ".join(without_secrets(["bezoar", "scan", *words]))
    plain = ["bezoar", "scan", "cc10k", "--drop-keys", "keys.txt", "--to", "runs/a", "--seed=3"]
    assert without_secrets(plain) == plain
