// Asks a server of ours through one of the clients that people use, and prints what came of it.
//
// node clients.mjs <client> <url of the GraphQL endpoint>
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { Client, cacheExchange, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient as createSSEClient } from "graphql-sse";
import { createClient as createWebSocketClient } from "graphql-ws";
import { createHash } from "node:crypto";
import WebSocket from "ws";

const SERVER = "query State { server { state } }";
// No other client sends this one, so that the server does not know it.
const APOLLO = "query StateForApollo { server { state } }";
const PREDICT = `query Predict($rows: [WineRow!]!) {
  predict { wine(rows: $rows) { predictions { label } } }
}`;
const METRICS = "subscription { liveMetrics(intervalSeconds: 0.1) { models { model } } }";
const WRONG = "{ nope }";

// urql lets the end of a request that it has aborted itself go unhandled.
process.on("unhandledRejection", (error) => {
  if (error.name !== "AbortError") throw error;
});

const [name, url] = process.argv.slice(2);
const row = JSON.parse(process.env.WINE_ROW);

// Takes the first three events of a subscription, and lets go of it.
async function three(iterator) {
  const events = [];
  for await (const event of iterator) {
    events.push(event);
    if (events.length === 3) break;
  }
  return events;
}

async function overWebSocket() {
  const client = createWebSocketClient({
    url: url.replace("http", "ws"),
    webSocketImpl: WebSocket,
  });
  return await throughIterators(client);
}

async function overEvents() {
  return await throughIterators(createSSEClient({ url, singleConnection: false }));
}

async function throughIterators(client) {
  const first = async (payload) => (await client.iterate(payload).next()).value;
  let wrong;
  try {
    wrong = (await first({ query: WRONG })).errors;
  } catch (errors) {
    wrong = errors;
  }
  const outcome = {
    server: (await first({ query: SERVER })).data,
    predict: (await first({ query: PREDICT, variables: { rows: [row] } })).data,
    events: (await three(client.iterate({ query: METRICS }))).map((event) => event.data),
    wrong: wrong.map((error) => error.extensions.code),
  };
  await client.dispose();
  return outcome;
}

async function urql() {
  const sockets = createWebSocketClient({
    url: url.replace("http", "ws"),
    webSocketImpl: WebSocket,
  });
  const client = new Client({
    url,
    preferGetMethod: false,
    exchanges: [
      cacheExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({
            unsubscribe: sockets.subscribe({ ...request, query: request.query ?? "" }, sink),
          }),
        }),
      }),
    ],
  });
  // Without an exchange of its own, urql asks for a stream of events over HTTP.
  const streaming = new Client({
    url,
    preferGetMethod: false,
    fetchSubscriptions: true,
    exchanges: [fetchExchange],
  });
  const events = async (each) =>
    await new Promise((resolve, reject) => {
      const found = [];
      const { unsubscribe } = each.subscription(METRICS, {}).subscribe(({ data, error }) => {
        if (error) return reject(error);
        found.push(data);
        if (found.length === 3) {
          unsubscribe();
          resolve(found);
        }
      });
    });
  const outcome = {
    server: (await client.query(SERVER, {})).data,
    predict: (await client.query(PREDICT, { rows: [row] })).data,
    events: await events(client),
    eventsOverHTTP: await events(streaming),
    wrong: (await client.query(WRONG, {})).error.graphQLErrors.map((e) => e.extensions.code),
  };
  await sockets.dispose();
  return outcome;
}

async function apollo() {
  const sent = [];
  const watching = new HttpLink({
    uri: url,
    fetch: async (address, options) => {
      const response = await fetch(address, options);
      sent.push([Object.keys(JSON.parse(options.body)).includes("query"), response.status]);
      return response;
    },
  });
  const persisted = new PersistedQueryLink({
    sha256: (text) => createHash("sha256").update(text).digest("hex"),
  });
  const client = new ApolloClient({
    link: ApolloLink.from([persisted, watching]),
    cache: new InMemoryCache(),
  });
  const ask = async (query, variables) =>
    await client.query({ query: gql(query), variables, fetchPolicy: "no-cache" });
  const outcome = {
    server: (await ask(APOLLO)).data,
    again: (await ask(APOLLO)).data,
    predict: (await ask(PREDICT, { rows: [row] })).data,
    sent: sent.slice(0, 3),
    wrong: await ask(WRONG).then(
      () => [],
      (error) => error.errors.map((each) => each.extensions.code),
    ),
  };
  client.stop();
  return outcome;
}

const clients = { "graphql-ws": overWebSocket, "graphql-sse": overEvents, urql, apollo };
console.log(JSON.stringify(await clients[name]()));
process.exit(0);
