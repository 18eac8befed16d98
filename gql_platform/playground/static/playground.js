// Mounts GraphiQL on the page's data: the path of the API, and the first visitor's tabs.
"use strict";

(() => {
  const { graphqlPath, tabs } = JSON.parse(document.getElementById("page-data").textContent);

  const url = new URL(graphqlPath, location.href);
  const subscriptionUrl = new URL(url);
  subscriptionUrl.protocol = url.protocol === "https:" ? "wss:" : "ws:";

  // A browser cannot send headers with a WebSocket, so GraphiQL puts those of the headers editor
  // into the connection's first message.
  const fetcher = GraphiQL.createFetcher({
    url: url.href,
    subscriptionUrl: subscriptionUrl.href,
  });

  const playground = React.createElement(
    GraphiQL,
    {
      fetcher,
      // GraphiQL takes these only when the browser remembers no tabs of an earlier visit.
      defaultTabs: tabs.length > 0 ? tabs : undefined,
      // Shows the editors of variables and headers below the query's; a key goes into the latter.
      defaultEditorToolsVisibility: true,
      plugins: [GraphiQLPluginExplorer.explorerPlugin()],
    },
    React.createElement(GraphiQL.Logo, null, "gql_platform"),
  );
  ReactDOM.createRoot(document.getElementById("playground")).render(playground);
})();
