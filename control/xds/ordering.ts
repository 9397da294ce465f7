import { RESOURCE_KINDS, type ResourceKind } from './resource.ts';

/**
 * Make before break (xds_protocol.rst, "Eventual consistency considerations"): what is pointed to comes before what points
 * to it, and goes after nothing points to it any more. Clusters, endpoints, listeners, routes; removed clusters last.
 */
export interface Progress {
  /** Nothing of the type waits to be sent, and the proxy has answered what was. A NACK is an answer. */
  readonly settled: (kind: ResourceKind) => boolean;
  /** The proxy has asked for the endpoints of every cluster that it was told of. */
  readonly endpointsWanted: () => boolean;
}

/** Whether changes of a type may go out now. Names asked for the first time are answered at once, whatever this says. */
export function mayChange(kind: ResourceKind, progress: Progress): boolean {
  switch (kind) {
    case 'cluster':
      return true;
    case 'endpoints':
      return progress.settled('cluster');
    case 'listener':
      return mayChange('endpoints', progress) && progress.settled('endpoints') && progress.endpointsWanted();
    case 'route':
      return mayChange('listener', progress) && progress.settled('listener');
    default:
      return kind satisfies never;
  }
}

export function mayRemoveClusters({ settled }: Progress): boolean {
  return RESOURCE_KINDS.every(settled);
}

/** A proxy that does not answer must not keep its own newer configuration for ever: after this, order gives way. */
export const ORDER_LIMIT_MS = 5000;
