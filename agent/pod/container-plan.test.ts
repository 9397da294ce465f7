import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { ContainerState } from '../runtime/runtime.ts';
import { type ContainerFacts, haveEnded, initProgress, planContainers } from './container-plan.ts';
import { isEnding, type PodStage } from './lifecycle.ts';
import type { ContainerRole, RestartPolicy } from './restart.ts';

const NOW = 1_000_000;
const RUNNING: ContainerState = { type: 'running', startedAtMs: NOW - 1000, pid: 1 };

function exited(exitCode: number, agoMs = 0): ContainerState {
  return { type: 'exited', startedAtMs: NOW - agoMs - 1000, finishedAtMs: NOW - agoMs, exitCode };
}

function facts(
  name: string,
  role: ContainerRole,
  more: Partial<ContainerFacts> & { state?: ContainerState; attempt?: number } = {},
): ContainerFacts {
  const { state, attempt = 0, ...rest } = more;
  const key = { podUid: 'uid', container: name, attempt };
  return {
    name,
    role,
    run: state === undefined ? undefined : { key, id: 'id', image: '', imageId: '', labels: {}, state },
    previous: undefined,
    busy: undefined,
    started: state?.type === 'running',
    ready: false,
    unhealthy: false,
    refusal: undefined,
    crashes: state?.type === 'exited' ? 1 : 0,
    ...rest,
  };
}

function plan(stage: PodStage, containers: readonly ContainerFacts[], policy: RestartPolicy = 'Always') {
  const { actions, wakeAtMs } = planContainers(stage, containers, policy, NOW);
  return {
    actions: actions.map(
      (action) => `${action.type} ${action.container}${action.type === 'start' ? ` ${action.attempt}` : ''}`,
    ),
    wakeAtMs,
  };
}

test('all containers start together, and only when the pod runs', () => {
  const containers = [facts('a', 'app'), facts('b', 'app')];
  assert.deepEqual(plan('joining', containers).actions, []);
  assert.deepEqual(plan('running', containers).actions, ['start a 0', 'start b 0']);
});

test('init containers run one after the other', () => {
  const next = (first: Partial<Parameters<typeof facts>[2]>, second: Partial<Parameters<typeof facts>[2]> = {}) =>
    plan('initializing', [facts('one', 'init', first), facts('two', 'init', second), facts('app', 'app')]).actions;
  assert.deepEqual(next({}), ['start one 0']);
  assert.deepEqual(next({ state: RUNNING }), []);
  assert.deepEqual(next({ state: exited(1) }), ['start one 1']);
  assert.deepEqual(next({ state: exited(0) }), ['start two 0']);
  assert.deepEqual(next({ state: exited(0) }, { state: exited(0) }), []);
});

test('an init container that keeps running lets the next begin once it has started, and is kept running', () => {
  const containers = (started: boolean) => [
    facts('proxy', 'sidecar', { state: RUNNING, started }),
    facts('two', 'init'),
  ];
  assert.deepEqual(plan('initializing', containers(false)).actions, []);
  assert.deepEqual(plan('initializing', containers(true)).actions, ['start two 0']);
  const ended = [facts('proxy', 'sidecar', { state: exited(0) }), facts('app', 'app', { state: RUNNING })];
  assert.deepEqual(plan('running', ended, 'Never').actions, ['start proxy 1']);
});

test('containers that keep running end after the others, one after the other, whatever their order and state', () => {
  const role = fc.constantFrom<ContainerRole>('init', 'sidecar', 'app');
  const state = fc.constantFrom<ContainerState | undefined>(undefined, RUNNING, exited(0), exited(1));
  const busy = fc.constantFrom<ContainerFacts['busy']>(undefined, 'starting', 'stopping');
  const container = fc.record({ role, state, busy });
  fc.assert(
    fc.property(
      fc.array(container, { maxLength: 6 }),
      fc.constantFrom<PodStage>('stopping', 'finished'),
      (all, stage) => {
        const containers = all.map((each, index) =>
          facts(`c${index}`, each.role, {
            ...(each.state === undefined ? {} : { state: each.state }),
            busy: each.busy,
          }),
        );
        const isAlive = ({ run, busy: what }: ContainerFacts) => run?.state.type === 'running' || what !== undefined;
        const stopped = planContainers(stage, containers, 'Always', NOW).actions.map(({ container: name }) => name);
        const sidecars = containers.filter(({ role: is }) => is === 'sidecar').filter(isAlive);
        const told = sidecars.filter(({ name }) => stopped.includes(name));
        if (told.length === 0) return true;
        const others = containers.filter(({ role: is }) => is !== 'sidecar').filter(isAlive);
        return others.length === 0 && told.length === 1 && told[0] === sidecars.at(-1);
      },
    ),
  );
});

test('a container that has ended waits for its back-off, and no longer', () => {
  const crashed = (agoMs: number) =>
    plan('running', [facts('a', 'app', { state: exited(1, agoMs), attempt: 3, crashes: 3 })]);
  assert.deepEqual(crashed(500), { actions: [], wakeAtMs: NOW + 1500 });
  assert.deepEqual(crashed(2000), { actions: ['start a 4'], wakeAtMs: undefined });
});

test('a container that could not be made is tried again at its time', () => {
  const refusal = { reason: 'ErrImagePull', message: '', failures: 1, retryAtMs: NOW + 700 };
  assert.deepEqual(plan('running', [facts('a', 'app', { refusal })]), { actions: [], wakeAtMs: NOW + 700 });
  assert.deepEqual(plan('running', [facts('a', 'app', { refusal: { ...refusal, retryAtMs: NOW } })]).actions, [
    'start a 0',
  ]);
});

test('a container that its probe gave up is stopped, once', () => {
  assert.deepEqual(plan('running', [facts('a', 'app', { state: RUNNING, unhealthy: true })]).actions, ['stop a']);
  assert.deepEqual(
    plan('running', [facts('a', 'app', { state: RUNNING, unhealthy: true, busy: 'stopping' })]).actions,
    [],
  );
});

test('on the way out containers are stopped first, then those that serve them, the last first', () => {
  const containers = (app: ContainerState) => [
    facts('one', 'sidecar', { state: RUNNING }),
    facts('two', 'sidecar', { state: RUNNING }),
    facts('app', 'app', { state: app }),
  ];
  assert.deepEqual(plan('draining', containers(RUNNING)).actions, []);
  assert.deepEqual(plan('stopping', containers(RUNNING)).actions, ['stop app']);
  assert.deepEqual(plan('stopping', containers(exited(0))).actions, ['stop two']);
});

test('a pod has ended when no container starts again', () => {
  const containers = [facts('a', 'app', { state: exited(0) }), facts('b', 'app', { state: exited(2) })];
  assert.deepEqual(
    (['Always', 'OnFailure', 'Never'] as const).map((policy) => haveEnded(containers, policy)),
    [false, false, true],
  );
  assert.equal(initProgress([facts('i', 'init', { state: exited(1) })], 'Never'), 'failed');
});

const stateArbitrary = fc.option(
  fc.oneof(
    fc.constant(RUNNING),
    fc
      .record({ exitCode: fc.constantFrom(0, 1, 137), agoMs: fc.nat(120_000) })
      .map(({ exitCode, agoMs }) => exited(exitCode, agoMs)),
  ),
  { nil: undefined },
);

const containerArbitrary = fc
  .record({
    role: fc.constantFrom<ContainerRole>('init', 'sidecar', 'app'),
    state: stateArbitrary,
    attempt: fc.nat(5),
    busy: fc.constantFrom('starting' as const, 'stopping' as const, undefined),
    started: fc.boolean(),
    unhealthy: fc.boolean(),
    crashes: fc.nat(9),
  })
  .map(({ state, ...more }) => ({ ...more, ...(state === undefined ? {} : { state }) }));

test('no plan starts what runs or is busy, nor anything in a pod that is ending', () => {
  const stages = fc.constantFrom<PodStage>(
    'preparing',
    'joining',
    'initializing',
    'running',
    'finished',
    'draining',
    'stopping',
    'leaving',
  );
  const policies = fc.constantFrom<RestartPolicy>('Always', 'OnFailure', 'Never');
  fc.assert(
    fc.property(stages, policies, fc.array(containerArbitrary, { maxLength: 6 }), (stage, policy, wanted) => {
      const containers = wanted.map(({ role, ...more }, index) => facts(`c${index}`, role, more));
      for (const action of planContainers(stage, containers, policy, NOW).actions) {
        const target = containers.find(({ name }) => name === action.container);
        assert.equal(target?.busy, undefined);
        if (action.type === 'stop') assert.equal(target?.run?.state.type, 'running');
        else {
          assert.notEqual(target?.run?.state.type, 'running');
          assert.ok(!isEnding(stage) && stage !== 'finished');
          assert.equal(action.attempt, target?.run === undefined ? 0 : target.run.key.attempt + 1);
        }
      }
    }),
  );
});
