import { personKey, rangeAfter } from './items.ts';
import { limits } from './limits.ts';
import { fitting } from './pages.ts';
import type { Person } from './shapes.ts';
import type { ChatTable, Key } from './table.ts';

type PersonRow = Person & Key;

/** Who has opened the chat, with the names of their tokens: a tenant's list of people to write to. */
export type People = ReturnType<typeof createPeople>;

export function createPeople(table: ChatTable) {
  return {
    /** Notes the user's name. A read costs less than a write, and the name seldom changes. */
    async note(tenant: string, { user, name }: Person): Promise<void> {
      const key = personKey(tenant, user);
      const known = await table.get<PersonRow>(key);
      if (known?.name !== name) await table.put({ ...key, user, name });
    },

    /** The names of users. Who has never opened the chat is called by the id. */
    async names(tenant: string, users: readonly string[]): Promise<Readonly<Record<string, string>>> {
      const known = await table.getAll<PersonRow>(users.map((user) => personKey(tenant, user)));
      const ids = users.map((user) => [user, user.slice(user.indexOf(':') + 1)] as const);
      return {
        ...Object.fromEntries(ids),
        ...Object.fromEntries(known.map(({ user, name }) => [user, name])),
      };
    },

    async list(tenant: string, after: string | undefined) {
      const range = rangeAfter(personKey(tenant, ''), after);
      const found = await table.range<PersonRow>({ ...range, limit: limits.pageSize });
      const { items, next } = fitting(found, limits.pageSize, ({ sk }) => sk);
      return { people: items.map(({ user, name }) => ({ user, name })), ...next };
    },
  };
}
