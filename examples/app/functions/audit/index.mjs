/** Writes who comes and who leaves to the log. */
export async function handler({ kind, from, session, reason }) {
  console.log(JSON.stringify({ kind, userId: from.userId, connectionId: session.connectionId, reason }));
}
