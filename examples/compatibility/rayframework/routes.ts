const base = '/api/system/utility/rayim';

/** RayFramework's paths. Its documents leave out the path of the list. */
export const routes = {
  sendToOne: `POST ${base}/sender/spec`,
  sendToAll: `POST ${base}/sender/all`,
  register: `POST ${base}/waiter/register/auto`,
  remove: `POST ${base}/waiter/register/remove`,
  list: `GET ${base}/waiter/list`,
} as const;
