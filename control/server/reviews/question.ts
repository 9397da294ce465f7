import { isObject } from '../../../api/patch/json.ts';
import type { ApiCall } from '../http/endpoint.ts';
import { writeBody, writeRequest } from '../http/write-body.ts';
import { type Decodable, decodeObject } from '../verbs/decode-object.ts';

/** What a client asks. The status is the answer's: what the client has there, often an empty one, is left out. */
export function questionIn<T>(call: ApiCall, kind: Decodable<T>): T {
  const body = writeBody(call, kind);
  if (!isObject(body)) return decodeObject(kind, body, writeRequest(call));
  const { status: _, ...question } = body;
  return decodeObject(kind, question, writeRequest(call));
}
