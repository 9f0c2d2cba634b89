import * as z from 'zod/mini';

// Names become parts of database keys and of targets, joined by `#` and `:`. Neither is in these alphabets.
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

/** A topic name in which `*` stands for any characters. Lists of them travel as one text, joined by commas or spaces. */
export const topicPattern = z
  .string()
  .check(z.regex(topicPatternPattern, 'must be 1 to 256 of A-Z a-z 0-9 . _ @ + - / *'));

export const connectionId = z
  .string()
  .check(z.regex(connectionIdPattern, 'must be a connection id, 1 to 128 of A-Z a-z 0-9 _ + / = -'));
