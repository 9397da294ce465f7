import { EventRecorder } from '../../api/client/events/event-recorder.ts';
import type { ControllerContext, Running } from './controller.ts';
import { startDeploymentController } from './deployment/run.ts';
import { startEndpointSliceController } from './endpointslice/run.ts';
import { startEventSweeper } from './events/sweep.ts';
import { startGarbageCollector } from './garbage-collector/run.ts';
import { startJoinTokenSweeper } from './join-tokens/sweep.ts';
import { startNamespaceController } from './namespace/run.ts';
import { startNodeLifecycleController } from './node-lifecycle/run.ts';
import { startReplicaSetController } from './replicaset/run.ts';
import { type InformerSource, SharedInformers } from './shared-informers.ts';

/** Every controller, in the order in which they start; they stop the other way round. */
const CONTROLLERS: readonly ((context: ControllerContext) => Running)[] = [
  startNamespaceController,
  startNodeLifecycleController,
  startEndpointSliceController,
  startReplicaSetController,
  startDeploymentController,
  startGarbageCollector,
  startEventSweeper,
  startJoinTokenSweeper,
];

/** What others of the same process may look through too: one copy of each kind serves all. */
export interface Controllers extends Running {
  readonly informers: SharedInformers;
  readonly recorder: EventRecorder;
}

/** Starts all controllers. They work as soon as the server answers, and wait while it does not. */
export function startControllers(source: InformerSource): Controllers {
  const informers = new SharedInformers(source);
  const recorder = new EventRecorder(source);
  const running = CONTROLLERS.map((start) => start({ ...source, informers, recorder }));
  return {
    informers,
    recorder,
    close: async () => {
      for (const controller of running.toReversed()) await controller.close();
      await informers.close();
      await recorder.close();
    },
  };
}
