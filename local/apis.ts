import type { Gateway } from './gateway/gateway.ts';
import { readHttpApis } from './http-api/definition.ts';
import { createHttpApi, type HttpApi } from './http-api/http-api.ts';
import type { ConnectionLimits } from './websocket/connection.ts';
import { readWebSocketApis, type WebSocketDefinition } from './websocket/definition.ts';
import { WebSocketApi } from './websocket/websocket-api.ts';

/** The APIs of a deployment. */
export interface Apis {
  readonly webSocketApis: readonly WebSocketApi[];
  readonly httpApis: readonly HttpApi[];
  /**
   * Reads the APIs of another deployment. Throws a TemplateError for a mistake in it, and changes nothing then. The
   * returned function deploys them. Connections stay open, unless their API or stage is gone.
   */
  prepare(gateway: Gateway): () => Promise<void>;
  /** Closes every connection. `$disconnect` functions run for at most `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** The `$disconnect` functions of a stage that is gone may run for so long. */
const removalGraceMs = 2000;

export function createApis(first: Gateway, limits: ConnectionLimits): Apis {
  let webSocketApis = readWebSocketApis(first.deployment).map(
    (definition) => new WebSocketApi(first, definition, limits),
  );
  let httpApis = readHttpApis(first.deployment).map((definition) => createHttpApi(first, definition));

  return {
    get webSocketApis() {
      return webSocketApis;
    },
    get httpApis() {
      return httpApis;
    },
    prepare(gateway) {
      const definitions = readWebSocketApis(gateway.deployment);
      const nextHttpApis = readHttpApis(gateway.deployment).map((each) => createHttpApi(gateway, each));
      return async () => {
        const before = webSocketApis;
        webSocketApis = definitions.map((definition) => {
          const known = before.find((api) => isSameStage(api.definition, definition));
          known?.update(gateway, definition);
          return known ?? new WebSocketApi(gateway, definition, limits);
        });
        httpApis = nextHttpApis;
        const gone = before.filter((api) => !webSocketApis.includes(api));
        await Promise.all(gone.map((api) => api.close(removalGraceMs)));
      };
    },
    async close(graceMs) {
      await Promise.all(webSocketApis.map((api) => api.close(graceMs)));
    },
  };
}

function isSameStage(one: WebSocketDefinition, other: WebSocketDefinition): boolean {
  return one.apiId === other.apiId && one.stage === other.stage;
}
