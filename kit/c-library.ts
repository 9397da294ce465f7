import type * as Ffi from 'node:ffi';
import { withoutWarning } from './without-warning.ts';

type Definitions = Readonly<Record<string, Ffi.FunctionSignature>>;

export interface CLibrary<T extends Definitions> {
  /** Must be held for as long as a function is called: they are gone once it has been collected. */
  readonly library: unknown;
  readonly functions: Ffi.WrappedFunctionsFromDefinitions<T>;
  /** Where a buffer's bytes are. They stay there for as long as the buffer is reachable and not detached or resized. */
  readonly addressOf: (memory: ArrayBuffer) => bigint;
}

/** What callers lay structures out for: 64-bit pointers and sizes, the lowest byte first. */
const MACHINES = ['x64', 'arm64'];

/**
 * The system calls that Node has no way to, through node:ffi, which Node 26 brings. Undefined where they cannot be had: no Linux
 * on x64 or arm64, an older Node, no permission (--permission without --allow-ffi), or no function of that name. Whoever
 * calls them answers for every address and length that is passed.
 */
export function openCLibrary<const T extends Definitions>(definitions: T): CLibrary<T> | undefined {
  if (process.platform !== 'linux' || !MACHINES.includes(process.arch)) return undefined;
  try {
    // It warns that it is experimental.
    return withoutWarning(() => {
      const ffi = process.getBuiltinModule('node:ffi') as typeof Ffi | undefined;
      if (ffi === undefined) return undefined;
      const library = ffi.dlopen(null, definitions);
      return { library, functions: library.functions, addressOf: (memory) => ffi.getRawPointer(memory) };
    });
  } catch {
    return undefined;
  }
}
