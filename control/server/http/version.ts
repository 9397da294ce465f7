/** The version of Kubernetes whose API this is: kubectl is content with one minor version of distance either way. */
const MAJOR = '1';
const MINOR = '34';

/** As k3s and others write theirs: Kubernetes' version, and who serves it as build metadata. */
export const GIT_VERSION = `v${MAJOR}.${MINOR}.0+tutti`;

/** The body of /version (version.Info of k8s.io/apimachinery). */
export function versionInfo(): object {
  return {
    major: MAJOR,
    minor: MINOR,
    gitVersion: GIT_VERSION,
    gitCommit: '',
    gitTreeState: '',
    buildDate: '',
    goVersion: '',
    compiler: `node ${process.version}`,
    platform: `${process.platform}/${process.arch}`,
  };
}
