"""The pages for people: GraphiQL for the GraphQL API, Swagger UI for the REST layer.

All that they need is in `static/`; a browser asks no other host for anything.
"""

from gql_platform.playground.assets import STATIC, static_files
from gql_platform.playground.page import Page, Playground, Tab, docs_page

__all__ = ["STATIC", "Page", "Playground", "Tab", "docs_page", "static_files"]
