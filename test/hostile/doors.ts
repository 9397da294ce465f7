import net from 'node:net';
import tls from 'node:tls';
import type { HttpConnectionConfig } from '../../proxy/listener/listener-config.ts';
import { startEngine } from '../../proxy/test-support/harness.ts';
import { type TestAuthority, testAuthority } from '../../proxy/test-support/mesh.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../../proxy/test-support/tables.ts';
import type { Dial } from './conversation.ts';

export interface Door<App> {
  readonly name: string;
  readonly dial: Dial;
  readonly app: App;
}

export interface Doors<App> extends AsyncDisposable {
  /** The edge, a sidecar's way out, a sidecar's way in, each before an application of its own. */
  readonly all: readonly Door<App>[];
}

const SERVER_NAME = '8080.port.tutti.internal';

/** An ingress and a sidecar, each with the identity that a mesh gives it. */
export async function openDoors<App extends AsyncDisposable & { readonly port: number }>(
  startApp: () => Promise<App>,
  http: Partial<HttpConnectionConfig> = {},
): Promise<Doors<App>> {
  const ca: TestAuthority = await testAuthority();
  const apps = [await startApp(), await startApp(), await startApp()] as const;
  const routes = apps.map((_, at) => routeTable(`t${at}`, [route(forward(`app${at}`, { timeoutMs: 0 }))]));
  const clusters = apps.map(({ port }, at) => cluster(`app${at}`, [port], { poolIdleMs: 30_000 }));
  const edge = await startEngine({
    identity: ca.identity('edge'),
    tables: tables([listener('edge', 't0', {}, http)], routes, clusters),
  });
  const inside = { ...http, trustForwarded: true };
  const out = listener('out', 't1', { direction: 'outbound' }, inside);
  const plain = listener('in', 't2', { direction: 'inbound' }, inside);
  const chains = plain.chains.map((chain) => ({
    ...chain,
    serverNames: [SERVER_NAME],
    tls: { kind: 'mesh' } as const,
  }));
  const sidecar = await startEngine({
    identity: ca.identity('web'),
    tables: tables([{ ...plain, chains }, out], routes, clusters),
  });
  const { certificateChainPem: cert, privateKeyPem: key } = ca.identity('caller');
  const secureContext = tls.createSecureContext({ cert, key });
  const plainDial = (port: number) => () =>
    net.connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  const meshDial = (port: number) => () => {
    // `allowHalfOpen` is missing in the types; tls.connect passes it on to its socket.
    const options = {
      port,
      host: '127.0.0.1',
      servername: SERVER_NAME,
      rejectUnauthorized: false,
      secureContext,
      allowHalfOpen: true,
    };
    return tls.connect(options as tls.ConnectionOptions);
  };
  return {
    all: [
      { name: 'ingress', dial: plainDial(edge.port('edge')), app: apps[0] },
      { name: 'sidecar, outbound', dial: plainDial(sidecar.port('out')), app: apps[1] },
      { name: 'sidecar, inbound', dial: meshDial(sidecar.port('in')), app: apps[2] },
    ],
    [Symbol.asyncDispose]: async () => {
      await edge[Symbol.asyncDispose]();
      await sidecar[Symbol.asyncDispose]();
      for (const app of apps) await app[Symbol.asyncDispose]();
      await ca[Symbol.asyncDispose]();
    },
  };
}

/** Doors alike, all at once; what fails says which door it was. */
export async function atEachDoor<App>(
  doors: readonly Door<App>[],
  judge: (dial: Dial, app: App) => Promise<void>,
): Promise<void> {
  await Promise.all(
    doors.map(({ name, dial, app }) =>
      judge(dial, app).catch((error: unknown) => {
        throw error instanceof Error ? new Error(`by ${name}: ${error.message}`, { cause: error }) : error;
      }),
    ),
  );
}
