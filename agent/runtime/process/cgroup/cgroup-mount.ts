/** The unified hierarchy as a process sees it. */
export interface CgroupMount {
  /** Where it is mounted. */
  readonly point: string;
  /** Which group of the hierarchy is there: `/` but for a bind mount. */
  readonly root: string;
}

/** The mount of control groups version 2 out of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export function findMount(mountinfo: string): CgroupMount | undefined {
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    if (after.split(' ')[0] !== 'cgroup2') continue;
    const [, , , root = '/', point = ''] = before.split(' ');
    return { point: unescaped(point), root: unescaped(root) };
  }
  return undefined;
}

/** The group that a process is in, out of /proc/<pid>/cgroup (cgroups(7)): the line of version 2. */
export function ownGroup(procCgroup: string): string | undefined {
  const line = procCgroup.split('\n').find((each) => each.startsWith('0::'));
  return line?.slice('0::'.length);
}

/** The folder of a group; undefined when the mount does not show it. */
export function groupFolder({ point, root }: CgroupMount, group: string): string | undefined {
  if (root === '/') return group === '/' ? point : `${point}${group}`;
  if (group !== root && !group.startsWith(`${root}/`)) return undefined;
  return `${point}${group.slice(root.length)}`;
}

/** Spaces and the like are octal there. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
