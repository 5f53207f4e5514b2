"""An exported model on the hub, if that is asked for and nothing forbids it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HFValidationError, HTTPError  # type: ignore[attr-defined]  # its client's own

from med_small_lm.errors import UserError
from med_small_lm.hub import hub_open
from med_small_lm.tuning.licences import terms_of

WHY = {
    "non-commercial": "which forbids commercial use",
    "no derivatives": "which allows nothing to be derived",
    "terms unknown": "which does not say whether a model made from it may be passed on",
}
"""What keeps a model from being passed on without a look; share-alike does not."""
TOKEN = "HF_TOKEN, `huggingface: {token: ...}` in conf/local/credentials.yml, or `hf auth login`"


def push_allowed(licences: Iterable[str], *, on_premises: bool, accept_terms: bool, token: str | None) -> str:
    """Returns the token that a model may be passed on with.

    Args:
        licences: of all that the model was trained on.
        on_premises: whether nothing may leave the user's own hosts.
        accept_terms: whether the user has looked at the licences and says that it may be passed on.
        token: of the hub; None: that of the environment or of an earlier login.

    Raises:
        UserError: nothing may leave, a licence forbids to pass the model on or does not tell, or there is no token.
    """
    if on_premises:
        raise UserError("--push: teacher.on_premises is true, so nothing leaves your own hosts")
    bound = [f'"{one}", {" and ".join(why)}' for one in sorted(set(licences)) if (why := _forbids(one))]
    if bound and not accept_terms:
        raise UserError(
            f"--push: it was trained on texts under the licence {'; '.join(bound)}: look whether you may pass it on,"
            " then say --accept-terms"
        )
    if not (found := token or get_token()):
        raise UserError(f"--push needs a token of the hub: {TOKEN}")
    return found


def push(folder: Path, repo: str, token: str) -> str:
    """Returns the address of the commit that puts a folder into a repository of the hub, a new one being private.

    Raises:
        UserError: the hub refuses it, or cannot be reached.
    """
    api = HfApi(token=token)
    try:
        with hub_open(True):
            api.create_repo(repo, private=True, exist_ok=True)
            told = api.upload_folder(repo_id=repo, folder_path=folder, commit_message="Exported by med-small-lm")
    except (HFValidationError, HTTPError, OSError) as problem:
        said = " ".join(str(problem).split())
        raise UserError(f"--push {repo}: {said}; {folder} is exported, and can be pushed again") from problem
    return str(told)


def _forbids(licence: str) -> list[str]:
    """What a licence says that keeps a model from being passed on without a look."""
    return [WHY[term] for term in terms_of(licence).named() if term in WHY]
