import { createHash } from 'node:crypto';
import { readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeFolder } from '../../../../kit/make-folder.ts';
import { findMount, groupFolder, ownGroup } from './cgroup-mount.ts';

/** The folder in which this agent's groups are, or why there can be none, as half a sentence for people. */
export type Cgroups = { readonly ok: true; readonly folder: string } | { readonly ok: false; readonly why: string };

export interface CgroupHost {
  /** Of /proc/self/mountinfo and /proc/self/cgroup. */
  readonly mountinfo: string;
  readonly ownCgroup: string;
  readonly isRoot: boolean;
}

const WANTED = ['cpu', 'memory'];
/** Where processes go that are in the way: only a group without processes may have children with limits. */
const AGENT_GROUP = 'tutti-agent';

export function cgroupHost(): CgroupHost {
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  };
  return {
    mountinfo: read('/proc/self/mountinfo'),
    ownCgroup: read('/proc/self/cgroup'),
    isRoot: process.getuid?.() === 0,
  };
}

/**
 * Finds, and makes, a place for the groups of the agent with this folder: at the top of the hierarchy for root, where its pods
 * outlive the agent's own service; otherwise in the group that the agent is in, which must be delegated to its user (systemd's
 * `Delegate=yes`).
 */
export function findCgroups(agentFolder: string, host: CgroupHost): Cgroups {
  const mount = findMount(host.mountinfo);
  if (mount === undefined) return { ok: false, why: 'control groups version 2 are not mounted here' };
  const id = createHash('sha256').update(agentFolder).digest('hex').slice(0, 8);
  const own = groupFolder(mount, ownGroup(host.ownCgroup) ?? '/');
  const places = [...(host.isRoot ? [mount.point] : []), ...(own === undefined ? [] : [delegated(own)])];
  let why = 'the control group of the agent is not to be seen from here';
  for (const place of new Set(places)) {
    const taken = takePlace(place, `tutti-${id}`);
    if (taken.ok) return taken;
    why = taken.why;
  }
  return { ok: false, why };
}

/** An agent that made room for its groups before is in a group below the one that was delegated. */
function delegated(own: string): string {
  return basename(own) === AGENT_GROUP ? dirname(own) : own;
}

function takePlace(place: string, name: string): Cgroups {
  const missing = missingFrom(join(place, 'cgroup.controllers'));
  if (missing.length > 0) {
    return { ok: false, why: `the control group ${place} has no ${missing.join(' and no ')} controller (version 2)` };
  }
  const folder = join(place, name);
  try {
    makeFolder(folder);
    enable(place);
    enable(folder);
    return { ok: true, folder };
  } catch (error) {
    removeQuietly(folder);
    return { ok: false, why: refusal(place, error as NodeJS.ErrnoException) };
  }
}

/** Lets the children of a group have limits. */
function enable(group: string): void {
  const control = join(group, 'cgroup.subtree_control');
  if (missingFrom(control).length === 0) return;
  const text = WANTED.map((controller) => `+${controller}`).join(' ');
  try {
    writeFileSync(control, text);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
    makeRoom(group);
    writeFileSync(control, text);
  }
}

/** "No internal processes": those of the group, this one among them, go one down. */
function makeRoom(group: string): void {
  const leaf = join(group, AGENT_GROUP);
  makeFolder(leaf);
  for (const pid of readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n')) {
    if (pid === '') continue;
    try {
      writeFileSync(join(leaf, 'cgroup.procs'), pid);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

function missingFrom(path: string): readonly string[] {
  try {
    const present = readFileSync(path, 'utf8').trim().split(/\s+/);
    return WANTED.filter((controller) => !present.includes(controller));
  } catch {
    return WANTED;
  }
}

function refusal(place: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return `the agent may not make control groups in ${place} (run it as root, or with "systemd-run --user --scope -p Delegate=yes")`;
  }
  if (error.code === 'EROFS') return `control groups are mounted read-only at ${place}`;
  return `no control group can be made in ${place}: ${error.message}`;
}

/** Gives the place back, when nothing is in it any more. */
export function releaseCgroups(cgroups: Cgroups): void {
  if (cgroups.ok) removeQuietly(cgroups.folder);
}

function removeQuietly(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It was never made, or something runs in it.
  }
}
