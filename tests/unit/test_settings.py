"""Settings come from the environment, and what is wrong with them is said by name."""

import os
import traceback
from pathlib import Path

import pytest

from gql_platform.errors import AccessNotConfiguredError, SettingsError
from gql_platform.settings import LogFormat, LogLevel, Settings, environment_name, load_settings

SECRET = "correct-horse-battery"  # noqa: S105 - a key for tests
SHORT_SECRET = "hunter2-hunter2"  # noqa: S105 - one letter too short


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.upper() in {environment_name(field) for field in Settings.model_fields}:
            monkeypatch.delenv(name)


def problems_of(**overrides: object) -> list[str]:
    """Return what is wrong with settings that must not load."""
    with pytest.raises(SettingsError) as caught:
        load_settings(overrides)
    return list(caught.value.problems)


class TestDefaults:
    def test_server_is_local_and_embedded(self) -> None:
        """Without any setting, the server listens to this machine and keeps data in `data`."""
        settings = load_settings()
        assert (settings.host, settings.port) == ("127.0.0.1", 8000)
        assert settings.api_secret_key is None
        assert settings.enable_monitoring is True
        assert settings.demo is False
        assert (settings.max_rows, settings.max_body_bytes) == (10_000, 1_048_576)
        assert (settings.log_level, settings.log_format) == (LogLevel.INFO, LogFormat.AUTO)

    def test_stores_lie_in_the_data_folder(self, tmp_path: Path) -> None:
        """The embedded stores are files of the data folder, by absolute paths."""
        settings = load_settings({"data_dir": tmp_path / "here"})
        assert settings.tracking_uri == f"sqlite:///{tmp_path}/here/mlflow.db"
        assert settings.registry_uri == settings.tracking_uri
        assert settings.artifact_dir == tmp_path / "here" / "artifacts"

    def test_settings_cannot_be_changed(self) -> None:
        """Settings are frozen once they are built."""
        with pytest.raises(ValueError, match="frozen"):
            load_settings().port = 1


class TestEnvironment:
    @pytest.mark.parametrize(
        ("name", "value", "field", "expected"),
        [
            ("MLFLOW_TRACKING_URI", "http://mlflow:5000", "mlflow_tracking_uri", "http://mlflow:5000"),
            ("MODEL_REGISTRY_URI", "http://models", "model_registry_uri", "http://models"),
            ("ENABLE_MONITORING", "false", "enable_monitoring", False),
            ("LOG_LEVEL", "WARNING", "log_level", LogLevel.WARNING),
            ("GQL_PLATFORM_LOG_FORMAT", "json", "log_format", LogFormat.JSON),
            ("GQL_PLATFORM_HOST", "::1", "host", "::1"),
            ("GQL_PLATFORM_PORT", "0", "port", 0),
            ("GQL_PLATFORM_DATA_DIR", "here", "data_dir", Path("here")),
            ("GQL_PLATFORM_DEMO", "1", "demo", True),
            ("GQL_PLATFORM_MAX_ROWS", "5", "max_rows", 5),
            ("GQL_PLATFORM_MAX_BODY_BYTES", "2048", "max_body_bytes", 2048),
            ("GQL_PLATFORM_PREDICT_THREADS", "4", "predict_threads", 4),
            ("GQL_PLATFORM_ALLOWED_HOSTS", "a.b, c.d,", "allowed_hosts", ("a.b", "c.d")),
            ("GQL_PLATFORM_ALLOWED_ORIGINS", "http://a:1/", "allowed_origins", ("http://a:1",)),
        ],
    )  # fmt: skip
    def test_setting_is_read_from_its_name(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str, field: str, expected: object
    ) -> None:
        """Each setting has one name in the environment."""
        monkeypatch.setenv(name, value)
        assert getattr(load_settings(), field) == expected
        assert environment_name(field) == name

    def test_secret_is_read_from_its_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """API_SECRET_KEY holds the key."""
        monkeypatch.setenv("API_SECRET_KEY", SECRET)
        key = load_settings().api_secret_key
        assert key is not None
        assert key.get_secret_value() == SECRET

    def test_registry_may_be_elsewhere_than_tracking(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """MODEL_REGISTRY_URI wins for models, and runs stay where they were."""
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://runs")
        assert load_settings().registry_uri == "http://runs"
        monkeypatch.setenv("MODEL_REGISTRY_URI", "http://models")
        settings = load_settings()
        assert (settings.tracking_uri, settings.registry_uri) == ("http://runs", "http://models")

    def test_empty_value_counts_as_unset(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An empty variable, as Compose files make them, leaves the default."""
        monkeypatch.setenv("API_SECRET_KEY", "")
        monkeypatch.setenv("GQL_PLATFORM_PORT", "")
        settings = load_settings()
        assert (settings.api_secret_key, settings.port) == (None, 8000)

    def test_override_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An option of the command line wins over the environment, unless it was not given."""
        monkeypatch.setenv("GQL_PLATFORM_PORT", "9000")
        assert load_settings({"port": 9001}).port == 9001
        assert load_settings({"port": None}).port == 9000


class TestProblems:
    @pytest.mark.parametrize(
        ("name", "value", "accepted"),
        [
            ("GQL_PLATFORM_PORT", "99999", "less than or equal to 65535"),
            ("GQL_PLATFORM_PORT", "http", "a valid integer, unable to parse string as an integer"),
            ("GQL_PLATFORM_MAX_BODY_BYTES", "12", "greater than or equal to 1024"),
            ("GQL_PLATFORM_MAX_ROWS", "0", "greater than or equal to 1"),
            ("GQL_PLATFORM_PREDICT_THREADS", "65", "less than or equal to 64"),
            ("GQL_PLATFORM_DEMO", "perhaps", "a valid boolean, unable to interpret input"),
            ("ENABLE_MONITORING", "maybe", "a valid boolean, unable to interpret input"),
            ("LOG_LEVEL", "loud", "'debug', 'info', 'warning', 'error' or 'critical'"),
            ("GQL_PLATFORM_LOG_FORMAT", "xml", "'auto', 'json' or 'console'"),
        ],
    )
    def test_wrong_value_is_named_with_what_is_accepted(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str, accepted: str
    ) -> None:
        """The line has the variable's name, the value, what it should be, and what it is for."""
        monkeypatch.setenv(name, value)
        field = next(field for field in Settings.model_fields if environment_name(field) == name)
        about = Settings.model_fields[field].description
        shown = value.lower() if field == "log_level" else value
        assert problems_of() == [f"{name}: {shown!r} is wrong; it should be {accepted}. {about}"]

    @pytest.mark.parametrize(
        "hosts",
        ["https://ml.example", "ml.example:8000", "*", "*.example", "a b", "ml.example/x", "-a"],
    )
    def test_host_that_no_request_names_is_refused(self, hosts: str) -> None:
        """Only names and addresses stand in `Host`, beside the port."""
        (problem,) = problems_of(allowed_hosts=hosts)
        assert "it should be host names such as ml.example.com, unlike" in problem

    @pytest.mark.parametrize("hosts", ["ml.example", "my_host", "192.0.2.1", "::1", "a.b, c"])
    def test_host_that_requests_name_is_taken(self, hosts: str) -> None:
        """Names and addresses are taken as they are."""
        assert load_settings({"allowed_hosts": hosts}).allowed_hosts == tuple(
            host.strip() for host in hosts.split(",")
        )

    @pytest.mark.parametrize(
        "origins",
        ["app.example", "*", "null", "https://app.example/x", "HTTPS://app.example", "ftp://a",
         "https://me@app.example"],
    )  # fmt: skip
    def test_origin_that_no_browser_sends_is_refused(self, origins: str) -> None:
        """An origin is a scheme, a host and perhaps a port."""
        (problem,) = problems_of(allowed_origins=origins)
        assert "it should be origins such as https://app.example.com" in problem

    @pytest.mark.parametrize("origin", ["http://localhost:5173", "https://a.b", "http://[::1]:80"])
    def test_origin_that_browsers_send_is_taken(self, origin: str) -> None:
        """With or without a port, and as an address."""
        assert load_settings({"allowed_origins": f"{origin}/"}).allowed_origins == (origin,)

    @pytest.mark.parametrize("networks", ["10.0.0.1/8", "ten", "10.0.0.0/33", "*", "10.0.0.0-9"])
    def test_text_that_is_no_network_is_refused(self, networks: str) -> None:
        """A host within a network is as likely a slip as a word."""
        (problem,) = problems_of(webhook_networks=networks)
        assert "it should be networks such as 10.1.0.0/16 or fd00::/8, unlike" in problem

    def test_networks_are_taken(self) -> None:
        """Several stand in one setting, and a single address is a network too."""
        settings = load_settings({"webhook_networks": "10.0.0.0/8, fd00::/8,192.0.2.1"})
        assert settings.webhook_networks == ("10.0.0.0/8", "fd00::/8", "192.0.2.1")

    def test_all_problems_are_told_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One start is enough to learn of every wrong setting."""
        monkeypatch.setenv("GQL_PLATFORM_PORT", "http")
        monkeypatch.setenv("LOG_LEVEL", "loud")
        monkeypatch.setenv("GQL_PLATFORM_PROT", "8000")
        assert [line.partition(":")[0] for line in problems_of()] == [
            "GQL_PLATFORM_PROT",
            "GQL_PLATFORM_PORT",
            "LOG_LEVEL",
        ]

    @pytest.mark.parametrize(
        ("name", "hint"),
        [
            ("GQL_PLATFORM_PROT", " Did you mean GQL_PLATFORM_PORT?"),
            ("gql_platform_data_dirs", " Did you mean GQL_PLATFORM_DATA_DIR?"),
            ("GQL_PLATFORM_API_SECRET_KEY", " Did you mean API_SECRET_KEY?"),
            ("GQL_PLATFORM_LOG_LEVEL", " Did you mean LOG_LEVEL?"),
            ("GQL_PLATFORM_XYZZY", ""),
        ],
    )
    def test_unknown_name_is_refused_with_the_nearest(
        self, monkeypatch: pytest.MonkeyPatch, name: str, hint: str
    ) -> None:
        """A misspelt variable does not pass silently."""
        monkeypatch.setenv(name, "9000")
        assert problems_of() == [f"{name}: there is no such setting.{hint}"]

    def test_unknown_names_are_looked_for_where_told(self) -> None:
        """Names of other programs are none of ours, and a given environment replaces ours."""
        assert load_settings(environ={"PATH": "/bin", "GQL_OTHER": "1"}).port == 8000
        with pytest.raises(SettingsError) as caught:
            load_settings(environ={"GQL_PLATFORM_HOTS": "x"})
        assert caught.value.problems == [
            "GQL_PLATFORM_HOTS: there is no such setting. Did you mean GQL_PLATFORM_HOST?"
        ]

    def test_wrong_override_has_the_name_of_the_environment(self) -> None:
        """An option of the wrong type is told under the setting's name."""
        (problem,) = problems_of(port="x")
        assert problem == (
            "GQL_PLATFORM_PORT: 'x' is wrong; it should be a valid integer, unable to parse string "
            "as an integer. The port to listen on; 0 takes any."
        )

    def test_secret_override_is_not_shown(self) -> None:
        """A key that is given by an option is covered like one from the environment."""
        (problem,) = problems_of(api_secret_key=SHORT_SECRET)
        assert problem.startswith("API_SECRET_KEY: the given value is wrong; it should be at least")

    def test_unknown_override_is_refused(self) -> None:
        """A field that does not exist is no setting."""
        assert problems_of(colour="red") == ["colour: there is no such setting."]


class TestSecrets:
    def test_short_secret_is_refused_without_being_shown(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A key that is too short appears neither in the message nor in the traceback."""
        monkeypatch.setenv("API_SECRET_KEY", SHORT_SECRET)
        with pytest.raises(SettingsError) as caught:
            load_settings()
        assert list(caught.value.problems) == [
            "API_SECRET_KEY: the given value is wrong; it should be at least 16 characters long. "
            + str(Settings.model_fields["api_secret_key"].description)
        ]
        assert SHORT_SECRET not in "".join(traceback.format_exception(caught.value))

    def test_secret_is_never_shown(self) -> None:
        """Printing or dumping the settings keeps the key covered."""
        settings = load_settings({"api_secret_key": SECRET})
        for shown in (repr(settings), str(settings), settings.model_dump_json()):
            assert SECRET not in shown


class TestAccess:
    @pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
    def test_loopback_needs_no_key(self, host: str) -> None:
        """Only this machine reaches a loopback address, so it may go without a key."""
        settings = load_settings({"host": host})
        assert settings.is_loopback
        assert settings.check_access() is settings

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "models.example"])
    def test_open_address_without_key_is_refused(self, host: str) -> None:
        """An address that others reach does not start without a key."""
        with pytest.raises(AccessNotConfiguredError) as caught:
            load_settings({"host": host}).check_access()
        assert caught.value.data == {"host": host}

    def test_open_address_with_key_is_taken(self) -> None:
        """With a key the server may be open."""
        settings = load_settings({"host": "10.0.0.7", "api_secret_key": SECRET})
        assert settings.check_access() is settings
