// A page of an application that goes through the models, as Relay has it.
import { graphql } from "relay-runtime";

export const query = graphql`
  query modelsQuery($count: Int!, $cursor: String) {
    ...models_list @arguments(count: $count, cursor: $cursor)
    node(id: "TW9kZWw6d2luZQ") {
      ...models_model @alias(as: "model")
    }
  }
`;

export const list = graphql`
  fragment models_list on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "modelsPaginationQuery") {
    models(first: $count, after: $cursor) @connection(key: "models_models") {
      edges {
        node {
          ...models_model
        }
      }
    }
  }
`;

export const model = graphql`
  fragment models_model on Model @refetchable(queryName: "modelsRefetchQuery") {
    name
    servingVersion {
      version
      createdAt
    }
  }
`;
