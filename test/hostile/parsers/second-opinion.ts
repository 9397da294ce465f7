import { createRequire } from 'node:module';

/** llhttp as Node brings it, called directly: the same parser that node:http uses, synchronous and without a socket. */
interface Llhttp {
  initialize(type: number, resource: object, maxHeaderSize: number, lenientFlags: number): void;
  execute(bytes: Buffer): number | Error;
  finish(): undefined | Error;
  [event: number]: (...given: never[]) => unknown;
}

interface LlhttpClass {
  new (): Llhttp;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kLenientNone: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

const { HTTPParser: Parser } = createRequire(import.meta.url)('_http_common') as { readonly HTTPParser: LlhttpClass };

/** What Node's _http_common returns for a head whose message has no body whatever it says, as the answer to HEAD. */
const SKIP_BODY = 1;

export interface Opinion {
  /** llhttp's code, or ''. */
  readonly error: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly target: string;
  readonly status: number;
  readonly body: string;
  readonly headDone: boolean;
  /** The message is whole. */
  readonly done: boolean;
  readonly upgrade: boolean;
}

/** How llhttp, strict, reads the one message that these bytes are. */
export function secondOpinion(kind: 'request' | 'response', text: string, withoutBody = 'no' as 'no' | 'yes'): Opinion {
  const parser = new Parser();
  parser.initialize(kind === 'request' ? Parser.REQUEST : Parser.RESPONSE, {}, 1 << 20, Parser.kLenientNone);
  const opinion = { error: '', target: '', status: 0, body: '', headDone: false, done: false, upgrade: false };
  const flat: string[] = [];
  let trailers = false;
  // Above 32 fields llhttp hands them over in several pieces; behind the head they are trailers.
  parser[Parser.kOnHeaders] = (more: readonly string[], url: string) => {
    if (!trailers) flat.push(...more);
    if (opinion.target === '') opinion.target = url;
  };
  parser[Parser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    headers: readonly string[] | undefined,
    _method: number,
    url: string | undefined,
    status: number | null,
    _message: string | null,
    upgrade: boolean,
  ) => {
    flat.push(...(headers ?? []));
    if (url !== undefined) opinion.target = url;
    opinion.status = status ?? 0;
    opinion.headDone = true;
    opinion.upgrade = upgrade;
    trailers = true;
    return withoutBody === 'yes' ? SKIP_BODY : 0;
  };
  parser[Parser.kOnBody] = (bytes: Buffer) => void (opinion.body += bytes.toString('latin1'));
  parser[Parser.kOnMessageComplete] = () => void (opinion.done = true);
  const outcome = parser.execute(Buffer.from(text, 'latin1'));
  if (outcome instanceof Error) opinion.error = String((outcome as Error & { readonly code?: unknown }).code);
  const fields = Array.from(
    { length: flat.length / 2 },
    (_, at) => [flat[2 * at] ?? '', flat[2 * at + 1] ?? ''] as const,
  );
  return { ...opinion, fields };
}
