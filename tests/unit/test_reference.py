"""The reference is written from the code."""

from pathlib import Path

from gql_platform.reference import errors_reference, main, settings_reference
from gql_platform.settings import Settings, environment_name


class TestSettingsReference:
    def test_each_setting_has_a_row(self) -> None:
        """The table has one row for each setting, in the order of the class."""
        rows = [line for line in settings_reference().splitlines() if line.startswith("| `")]
        names = [row.split("`")[1] for row in rows]
        assert names == [environment_name(field) for field in Settings.model_fields]

    def test_row_tells_all_about_a_setting(self) -> None:
        """A row has the name, what is accepted, the default and the meaning."""
        lines = settings_reference().splitlines()
        assert lines[6] == "|---|---|---|---|"
        assert (
            "| `GQL_PLATFORM_PORT` | a whole number from 0 to 65535 | `8000` "
            "| The port to listen on; 0 takes any. |"
        ) in lines
        assert (
            "| `GQL_PLATFORM_DATA_DIR` | a path | `data` "
            "| The folder of the embedded stores; made when it is missing. |"
        ) in lines
        assert (
            "| `GQL_PLATFORM_LOG_FORMAT` | `auto`, `json` or `console` | `auto` "
            "| How log lines look; `auto` is `console` on a terminal and `json` elsewhere. |"
        ) in lines
        assert any(
            line.startswith("| `API_SECRET_KEY` | text of at least 16 characters | unset |")
            for line in lines
        )
        assert any(
            line.startswith("| `ENABLE_MONITORING` | `true` or `false` | `true` |")
            for line in lines
        )
        assert any(
            line.startswith("| `GQL_PLATFORM_ALLOWED_HOSTS` | names, separated by commas | unset |")
            for line in lines
        )


class TestErrorsReference:
    def test_each_code_has_one_row(self) -> None:
        """Every error that can be raised stands in the table once."""
        rows = [line for line in errors_reference().splitlines() if line.startswith("| `")]
        codes = [row.split("`")[1] for row in rows]
        assert len(codes) == len(set(codes))
        assert {"INVALID_ROWS", "REGISTRY_UNAVAILABLE", "PORT_IN_USE"} < set(codes)

    def test_row_tells_status_and_message(self) -> None:
        """A row has the code, the status over REST and the message with its facts."""
        assert (
            "| `FORBIDDEN` | 403 | This needs the permission *permission*, "
            "which the key does not have. |"
        ) in errors_reference().splitlines()


def test_pages_are_written_where_told(tmp_path: Path) -> None:
    """The module is a command that writes the pages into a folder."""
    main([str(tmp_path)])
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert written == {"settings.md": settings_reference(), "errors.md": errors_reference()}
