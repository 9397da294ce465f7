/*
 * Fields of a strategic merge patch that say what to do instead of what to be
 * (k8s.io/apimachinery/pkg/util/strategicpatch/patch.go).
 */

/** `replace`, `delete` or `merge` the object that it stands in. */
export const PATCH = '$patch';

/** Of the object that it stands in, only these fields stay. */
export const RETAIN_KEYS = '$retainKeys';

/** Followed by a list's name: values to take out of it. */
export const DELETE_FROM = '$deleteFromPrimitiveList/';

/** Followed by a list's name: keys or values in the order that its items are to have. */
export const SET_ORDER = '$setElementOrder/';
