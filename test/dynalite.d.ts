declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** What is used of version 4.0.0, which has no types of its own. */
  export default function dynalite(options: { readonly createTableMs: number }): Server;
}
