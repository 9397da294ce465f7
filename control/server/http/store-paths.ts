import { createReadStream, statSync } from 'node:fs';
import type { FastifyReply } from 'fastify';
import { ApiError } from '../../../api/meta/api-error.ts';
import { EncryptionRefusedError } from '../../encryption/key-file.ts';
import { MaintenanceBusyError } from '../../store/sqlite/maintenance.ts';
import type { StoreService } from '../../store-service.ts';
import { sendBody } from './answer.ts';
import { unknownPath } from './dispatch.ts';

interface StoreRequest {
  /** What follows `/tutti/store`, without the slash. */
  readonly path: string;
  /** In lower case. */
  readonly method: string;
  readonly query: URLSearchParams;
  readonly reply: FastifyReply;
}

/**
 * `/tutti/store`: what `tutti store` asks of a running control plane. For system:masters alone (authz/rules.ts). `GET` tells its state,
 * `GET backup` sends a copy, `POST compact` and `POST rotate-key` do as they say. Throws ApiError 404, 405, 409.
 */
export async function serveStorePath(service: StoreService, request: StoreRequest): Promise<void> {
  const { path, method, reply } = request;
  const wanted = path === '' || path === 'backup' ? 'get' : 'post';
  if (!['', 'backup', 'compact', 'rotate-key'].includes(path)) throw unknownPath();
  if (method !== wanted) throw ApiError.methodNotAllowed({ group: 'tutti.dev', plural: 'store' }, method);
  try {
    if (path === 'backup') await sendCopy(service, reply);
    else sendBody(reply, await answerOf(service, request), { encoding: 'json' });
  } catch (error) {
    if (error instanceof MaintenanceBusyError) throw ApiError.unavailable(error.message, { cause: error });
    if (error instanceof EncryptionRefusedError) throw ApiError.internal(error.message, { cause: error });
    throw error;
  }
}

async function answerOf(service: StoreService, { path, query }: StoreRequest): Promise<object> {
  if (path === 'compact') return await service.compact();
  if (path === 'rotate-key') return await service.rotateKey({ old: query.get('old') === 'drop' ? 'drop' : 'keep' });
  return await service.status();
}

async function sendCopy(service: StoreService, reply: FastifyReply): Promise<void> {
  const copy = await service.copy();
  if (copy === undefined) throw ApiError.badRequest('this store is no file: make backups with its own program');
  // Sent or not, it goes when the connection has ended.
  reply.raw.once('close', () => copy.dispose());
  reply.header('content-length', statSync(copy.path).size).type('application/vnd.sqlite3');
  reply.send(createReadStream(copy.path));
}
