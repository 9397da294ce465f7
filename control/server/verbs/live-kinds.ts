import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';

/** Where the objects of a kind come from that the store does not hold: made anew each time somebody asks. */
export interface LiveKind<T extends KubeObject = KubeObject> {
  readonly kind: Kind<T>;
  readonly list: (namespace: string | undefined) => Promise<readonly T[]>;
}

/** Kinds that can only be read. */
export class LiveKinds {
  readonly #kinds: readonly LiveKind[];

  constructor(kinds: readonly LiveKind[]) {
    this.#kinds = kinds;
  }

  get kinds(): readonly Kind[] {
    return this.#kinds.map(({ kind }) => kind);
  }

  find<T extends KubeObject>(kind: Kind<T>): LiveKind<T> | undefined {
    const found = this.#kinds.find(({ kind: { group, plural } }) => group === kind.group && plural === kind.plural);
    return found as unknown as LiveKind<T> | undefined;
  }
}

/** A kind gives its own objects to its own functions: the list holds them as kinds of some object. */
export function liveKind<T extends KubeObject>(kind: Kind<T>, list: LiveKind<T>['list']): LiveKind {
  return { kind, list } as unknown as LiveKind;
}
