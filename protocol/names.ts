import * as z from 'zod/mini';

// Names are joined by `#` in database keys and by `:` in targets. So no name may contain these two characters.
const namePattern = /^[A-Za-z0-9._@+-]{1,128}$/;
const topicNamePattern = /^[A-Za-z0-9._@+/-]{1,256}$/;
const topicPatternPattern = /^[A-Za-z0-9._@+/*-]{1,256}$/;
const connectionIdPattern = /^[A-Za-z0-9_+/=-]{1,128}$/;

export const defaultTenant = 'default';
export const defaultUserType = 'member';

/** A user id, user type or tenant. */
export const name = z.string().check(z.regex(namePattern, 'must be 1 to 128 of A-Z a-z 0-9 . _ @ + -'));

export const topicName = z
  .string()
  .check(z.regex(topicNamePattern, 'must be 1 to 256 of A-Z a-z 0-9 . _ @ + - /'));

/** A topic name in which `*` stands for any characters. Lists of patterns are joined by a comma or a space. */
export const topicPattern = z
  .string()
  .check(z.regex(topicPatternPattern, 'must be 1 to 256 of A-Z a-z 0-9 . _ @ + - / *'));

export const connectionId = z
  .string()
  .check(z.regex(connectionIdPattern, 'must be a connection id, 1 to 128 of A-Z a-z 0-9 _ + / = -'));

/** A user within a tenant, as `<type>:<id>`. */
export const userName = z
  .string()
  .check(
    z.regex(
      /^[A-Za-z0-9._@+-]{1,128}:[A-Za-z0-9._@+-]{1,128}$/,
      'must be <type>:<id>, each 1 to 128 of A-Z a-z 0-9 . _ @ + -',
    ),
  );
