import { z } from 'zod';

/** metav1.Time on the wire: RFC 3339, UTC or with an offset. */
export const timeSchema = z.iso.datetime({ offset: true, error: 'must be a time such as 2030-01-02T15:04:05Z' });

/** metav1.MicroTime: the same with exactly six digits of a second's fraction. */
export const microTimeSchema = z.iso.datetime({
  offset: true,
  precision: 6,
  error: 'must be a time in microseconds such as 2030-01-02T15:04:05.000000Z',
});
