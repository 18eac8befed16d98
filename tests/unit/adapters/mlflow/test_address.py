"""Addresses that can never work are told from those that do not answer right now."""

import pytest

from gql_platform.adapters.mlflow.address import check_address
from gql_platform.errors import StoreAddressError


class TestAddresses:
    @pytest.mark.parametrize(
        "uri",
        [
            "sqlite:////srv/mlflow.db",
            "sqlite:///relative.db",
            "https://mlflow.example.com",
            "http://user:password@127.0.0.1:5000",
            "databricks",
            "databricks://profile",
        ],
    )
    def test_those_of_a_store_pass(self, uri: str) -> None:
        """Whether it answers is seen later."""
        check_address(uri, setting="MLFLOW_TRACKING_URI")

    @pytest.mark.parametrize(
        ("uri", "problem"),
        [
            ("  ", "it is blank, or has blanks around it"),
            (" sqlite:////srv/mlflow.db", "it is blank, or has blanks around it"),
            ("htp://mlflow.example.com", "MLflow keeps no registry at addresses of this kind"),
            ("/srv/mlruns", "MLflow keeps no registry at addresses of this kind"),
            ("file:///srv/mlruns", "MLflow keeps no registry at addresses of this kind"),
            ("postgresql:/host", "it is no address of a database"),
            ("postgresql+nothing://host/db", "there is no such driver"),
            ("http://", "it names no host, or no port that there is"),
            ("http://host:99999", "it names no host, or no port that there is"),
        ],
    )
    def test_others_are_refused(self, uri: str, problem: str) -> None:
        """The error names the setting, and what is wrong with its value."""
        with pytest.raises(StoreAddressError) as caught:
            check_address(uri, setting="MODEL_REGISTRY_URI")
        assert caught.value.setting == "MODEL_REGISTRY_URI"
        assert caught.value.problem == problem

    def test_missing_driver_is_named(self) -> None:
        """Whoever lacks a driver reads which one."""
        with pytest.raises(StoreAddressError) as caught:
            check_address("mssql://me:secret@host/db", setting="MLFLOW_TRACKING_URI")
        assert caught.value.uri == "mssql://***@host/db"
        assert caught.value.problem.startswith("its driver 'pyodbc' is not installed")
