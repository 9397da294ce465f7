/** What a request for streams asks for: the kubelet's paths and parameters (pkg/kubelet/server/server.go). */
export type StreamRequest =
  | ({ readonly type: 'exec'; readonly command: readonly string[] } & ContainerStreams)
  | ({ readonly type: 'attach' } & ContainerStreams)
  | {
      readonly type: 'portForward';
      readonly namespace: string;
      readonly pod: string;
      readonly ports: readonly number[];
    };

export interface ContainerStreams {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly terminal: boolean;
}

export type StreamRequestResult =
  | { readonly ok: true; readonly request: StreamRequest }
  | { readonly ok: false; readonly message: string };

const CONTAINER_PATH = /^\/(exec|attach)\/([^/]+)\/([^/]+)\/([^/]+)$/;
const PORT_PATH = /^\/portForward\/([^/]+)\/([^/]+)$/;

/**
 * Reads `/exec/NAMESPACE/POD/CONTAINER?command&input&output&error&tty`, `/attach/…` with the same, and
 * `/portForward/NAMESPACE/POD?port`. Undefined for another path.
 */
export function readStreamRequest({ pathname, searchParams }: URL): StreamRequestResult | undefined {
  const ports = PORT_PATH.exec(pathname);
  if (ports !== null) {
    const [namespace = '', pod = ''] = ports.slice(1).map(decodeURIComponent);
    return readPorts(namespace, pod, searchParams.getAll('port'));
  }
  const match = CONTAINER_PATH.exec(pathname);
  if (match === null) return undefined;
  const [namespace = '', pod = '', container = ''] = match.slice(2).map(decodeURIComponent);
  const isOn = (name: string): boolean => searchParams.get(name) === '1';
  const terminal = isOn('tty');
  const wanted = {
    namespace,
    pod,
    container,
    stdin: isOn('input'),
    stdout: isOn('output'),
    // A terminal has one output (remotecommand.NewOptions).
    stderr: isOn('error') && !terminal,
    terminal,
  };
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr) {
    return { ok: false, message: 'you must specify at least 1 of stdin, stdout, stderr' };
  }
  if (match[1] === 'attach') return { ok: true, request: { type: 'attach', ...wanted } };
  const command = searchParams.getAll('command');
  if (command.length === 0) return { ok: false, message: 'you must specify a command' };
  return { ok: true, request: { type: 'exec', command, ...wanted } };
}

/** None are named where each stream says its port itself. */
function readPorts(namespace: string, pod: string, texts: readonly string[]): StreamRequestResult {
  const ports = texts.map(portOf);
  const wrong = texts.find((_text, at) => ports[at] === undefined);
  if (wrong !== undefined) return { ok: false, message: `port ${JSON.stringify(wrong)}: not a number from 1 to 65535` };
  return {
    ok: true,
    request: { type: 'portForward', namespace, pod, ports: ports.filter((port) => port !== undefined) },
  };
}

export function portOf(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}
