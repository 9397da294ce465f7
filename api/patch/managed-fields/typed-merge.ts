import { isList, isObject, type Json, type JsonObject } from '../json.ts';
import { type ListItem, listItems, listItemsIfKeyed, UnkeyedItemError } from './list-items.ts';
import type { PathElement } from './path-element.ts';
import type { TypedSchema } from './typed-schema.ts';

/**
 * The live object with a configuration laid over it (typed/merge.go): what the configuration has wins, what it leaves out
 * stays. Throws {@link UnkeyedItemError} for a configuration whose list items cannot be told apart or come twice.
 */
export function mergeConfiguration(live: JsonObject, config: JsonObject, schema: TypedSchema): JsonObject {
  return mergeObjects(live, config, schema);
}

function merge(live: Json | undefined, config: Json | undefined, schema: TypedSchema): Json | undefined {
  if (config === undefined) return live;
  const objects = schema.shape === 'object' || schema.shape === 'untyped';
  if (objects && isPart(live, isObject) && isPart(config, isObject) && (isFilled(live) || isFilled(config))) {
    return mergeObjects(isObject(live) ? live : {}, isObject(config) ? config : {}, schema);
  }
  if (
    schema.shape === 'list' &&
    isPart(live, isList) &&
    isPart(config, isList) &&
    (isFilled(live) || isFilled(config))
  ) {
    return mergeLists(isList(live) ? live : [], isList(config) ? config : [], schema);
  }
  return config;
}

function isPart(value: Json | undefined, is: (value: Json) => boolean): boolean {
  return value === undefined || value === null || is(value);
}

function isFilled(value: Json | undefined): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

function mergeObjects(live: JsonObject, config: JsonObject, schema: TypedSchema): JsonObject {
  const names = new Set([...Object.keys(live), ...Object.keys(config)]);
  const fields = [...names].flatMap((name) => {
    const old = Object.hasOwn(live, name) ? live[name] : undefined;
    const value = Object.hasOwn(config, name) ? config[name] : undefined;
    const merged = merge(old, value, schema.field(name));
    return merged === undefined ? [] : [[name, merged] as const];
  });
  return Object.fromEntries(fields);
}

/**
 * Both lists in one: items of the configuration in its order, the others between them where the live list had them
 * (visitListItems). An item that the live list has twice is not merged into.
 */
function mergeLists(live: readonly Json[], config: readonly Json[], schema: TypedSchema): readonly Json[] {
  const mine = listItems(config, schema);
  const configured = new Map<PathElement, Json>();
  for (const { element, value } of mine) {
    if (configured.has(element)) throw new UnkeyedItemError(`duplicate entries for key ${element.slice(2)}`);
    configured.set(element, value);
  }
  const theirs = listItemsIfKeyed(live, schema);
  if (theirs === undefined) return config;
  const present = new Map<PathElement, Json | undefined>();
  for (const { element, value } of theirs) present.set(element, present.has(element) ? undefined : value);
  return weave(theirs, mine, {
    isShared: (element) => configured.has(element) && present.has(element),
    isConfigured: (element) => configured.has(element),
    merged: (element) => merge(present.get(element), configured.get(element), schema.item()) ?? null,
  });
}

interface Weaving {
  readonly isShared: (element: PathElement) => boolean;
  readonly isConfigured: (element: PathElement) => boolean;
  readonly merged: (element: PathElement) => Json;
}

function weave(
  theirs: readonly ListItem[],
  mine: readonly ListItem[],
  { isShared, isConfigured, merged }: Weaving,
): readonly Json[] {
  const woven: Json[] = [];
  const taken = new Set<PathElement>();
  const shared = mine.map(({ element }) => element).filter(isShared);
  let nextShared = shared.shift();
  let left = 0;
  let right = 0;
  const take = (element: PathElement): void => {
    taken.add(element);
    woven.push(merged(element));
  };
  while (left < theirs.length || right < mine.length) {
    const their = theirs[left];
    const my = mine[right];
    if (their !== undefined && my !== undefined) {
      if (their.element === my.element) {
        take(my.element);
        left++;
        right++;
        nextShared = shared.shift();
        continue;
      }
      // Shared, but not the one whose turn it is: it comes where the configuration has it.
      if (isConfigured(their.element) && nextShared !== undefined && nextShared !== their.element) {
        left++;
        continue;
      }
    }
    if (their !== undefined) {
      if (!isConfigured(their.element)) {
        woven.push(their.value);
        left++;
        continue;
      }
      if (taken.has(their.element)) left++;
    }
    if (my !== undefined) {
      take(my.element);
      right++;
      if (nextShared === my.element) nextShared = shared.shift();
    }
  }
  return woven;
}
