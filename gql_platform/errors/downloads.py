"""What is wrong with a link to a file."""

from dataclasses import dataclass

from gql_platform.errors.access import AccessError


class InvalidDownloadError(AccessError):
    """The link is not one that this server made, or was changed; ask for it anew, and fetch its
    `url` exactly as it was returned.
    """

    code = "INVALID_DOWNLOAD"


@dataclass(eq=False)
class DownloadExpiredError(AccessError):
    """The link expired at {expired_at}; ask for a new one."""

    code = "DOWNLOAD_EXPIRED"
    expired_at: str
