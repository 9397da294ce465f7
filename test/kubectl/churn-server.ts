import { join } from 'node:path';
import { openSqliteStore } from '../../control/store/sqlite/sqlite-store.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { startTestApiServer } from '../support/api-server.ts';

/*
 * An API server over SQLite as a process of its own, for tests that kill it: `node churn-server.ts FOLDER PORT`. It tells
 * its parent where it serves, and answers "compact" with the revision up to which history is gone.
 */

const [folder = '', port = '0'] = process.argv.slice(2);
const clock = systemClock();
const store = await openSqliteStore({ path: join(folder, 'store.db'), clock, log: silentLog() });
const { server, kubeconfig } = await startTestApiServer({ folder, store, clock, port: Number(port) });

async function compact(): Promise<void> {
  const revision = await store.revision();
  await store.compact(revision);
  process.send?.({ compacted: revision });
}

process.on('message', () => void compact());
process.send?.({ server, kubeconfig });
