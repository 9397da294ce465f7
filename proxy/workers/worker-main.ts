// What runs in each worker's thread: an engine, and the answers to what the crew asks.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../kit/clock.ts';
import { createLog } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';
import type { ToldEjection } from '../cluster/other-workers.ts';
import { SharedCounts } from '../cluster/shared-counts.ts';
import { createEngine } from '../data-plane.ts';
import type { Engine } from '../engine.ts';
import { ListeningSockets } from '../socket/listening-sockets.ts';
import { type LagMonitor, watchLag } from '../telemetry/lag.ts';
import type { startTracing } from '../tracing/start-tracing.ts';
import type { Tracer } from '../tracing/tracer.ts';
import type { Answer, News, Question, Questions, WorkerFigures, WorkerSetup } from './messages.ts';
import { changed, NO_TABLES } from './tables-change.ts';

type StartTracing = typeof startTracing;
type Answers = Questions[keyof Questions]['answers'];

async function serve(port: MessagePort, setup: WorkerSetup): Promise<void> {
  const { worker, logLevel, component, takenOver } = setup;
  const log = createLog({ level: logLevel, format: 'json' }).child({ component, worker });
  const shared = { clock: systemClock(), random: systemRandom(), log };
  const tracer = await tracerOf(setup, shared);
  let tables = NO_TABLES;
  const tell = (ejected: ToldEjection): void => port.postMessage({ ejected } satisfies News);
  const engine = createEngine({
    ...shared,
    ...(tracer === undefined ? {} : { tracer }),
    accessLog: { format: 'json', sink: (lines) => void process.stdout.write(lines) },
    sockets: new ListeningSockets({ shared: true, takenOver }),
    othersOf: (cluster) => {
      const memory = tables.counts.get(cluster);
      if (memory === undefined) return undefined;
      return { counts: new SharedCounts(memory, worker), tell };
    },
  });
  const lag = watchLag();
  const respond = async (question: Question): Promise<Answers> => {
    switch (question.kind) {
      case 'identity':
        engine.setIdentity(question.asks);
        return undefined;
      case 'apply':
        tables = changed(tables, question.asks);
        return { problems: await engine.apply(tables), ready: engine.ready };
      case 'ejected':
        engine.ejectedElsewhere(question.asks);
        return undefined;
      case 'figures':
        return figuresOf(engine, lag);
      case 'drain':
        await engine.drain(question.asks);
        return undefined;
      case 'listening':
        return (await engine.listening()).map((socket) => ({ ...socket, worker }));
      case 'leave':
        await engine.leave();
        return undefined;
      case 'idle':
        await engine.idle(question.asks);
        return undefined;
      case 'close':
        await engine.close();
        lag.close();
        return undefined;
      default:
        return question satisfies never;
    }
  };
  port.on('message', (question: Question) => {
    const { id, kind } = question;
    const say = (answer: Answer): void => port.postMessage(answer);
    void respond(question)
      .then(
        (answer) => say({ id, answer }),
        (error: unknown) => say({ id, error: error instanceof Error ? error.message : String(error) }),
      )
      .then(() => (kind === 'close' ? port.close() : undefined));
  });
}

async function tracerOf({ tracing }: WorkerSetup, shared: Parameters<StartTracing>[1]): Promise<Tracer | undefined> {
  if (tracing === undefined) return undefined;
  const { startTracing } = await import('../tracing/start-tracing.ts');
  return startTracing(tracing, shared);
}

function figuresOf(engine: Engine, lag: LagMonitor): WorkerFigures {
  // Functions do not cross threads.
  const { onTlsRefused: _, ...telemetry } = engine.telemetry;
  return {
    telemetry: telemetry as WorkerFigures['telemetry'],
    load: engine.load(),
    clusters: engine.clusters(),
    listeners: engine.listeners(),
    lateness: lag.take(),
  };
}

if (parentPort !== null) await serve(parentPort, workerData as WorkerSetup);
