import { withoutWarning } from '../../kit/without-warning.ts';

/** What node's own sockets write by; made once for each write. */
export interface WriteRequest {
  oncomplete?: (status: number) => void;
}

/** What node's own streams know of a handle's last read or write. */
export interface StreamWrap {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: ArrayLike<number>;
  readonly kLastWriteWasAsync: number;
  readonly kReadBytesOrError: number;
}

/** Undefined where node has no such thing, or may not give it (`--permission`). */
export const streamWrap = findStreamWrap();

function findStreamWrap(): StreamWrap | undefined {
  try {
    // Deprecated without a successor (DEP0111: said with --pending-deprecation), and so in no type.
    const { binding } = process as unknown as { readonly binding?: (name: string) => Partial<StreamWrap> };
    const found = withoutWarning(() => binding?.('stream_wrap'));
    const state = found?.streamBaseState;
    const known =
      typeof found?.WriteWrap === 'function' &&
      typeof found.kLastWriteWasAsync === 'number' &&
      typeof found.kReadBytesOrError === 'number' &&
      typeof state?.[found.kLastWriteWasAsync] === 'number' &&
      typeof state[found.kReadBytesOrError] === 'number';
    return known ? (found as StreamWrap) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A socket's handle with the methods that are asked for. No public API, and so in no type: every part is looked for before it is used.
 * Undefined when the socket is closed, or node is not as we know it.
 */
export function handleWith<Handle extends object>(socket: object, method: keyof Handle): Handle | undefined {
  const handle = (socket as { readonly _handle?: Partial<Handle> | null })._handle;
  return typeof handle?.[method] === 'function' ? (handle as Handle) : undefined;
}
