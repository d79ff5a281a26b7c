// The JSON of the server.

/** What the server says went wrong, and what to do. */
export class ApiError extends Error {
  constructor({ what, file = null, advice = null, clause = null, findings = [] }, status = 0) {
    super(what);
    Object.assign(this, { what, file, advice, clause, findings, status });
  }
}

const UNREACHED = {
  what: 'The server does not answer.',
  advice: 'Look whether it still runs, and load the page again.',
};

let server = null;

/** Asks what the server is, once. */
export function askServer() {
  server ??= ask('server').catch((error) => {
    server = null;
    throw error;
  });
  return server;
}

/** Asks for `/-/api/PATH?QUERY`. */
export function ask(path, query = {}, { signal } = {}) {
  return call(`api/${path}`, query, { signal });
}

/** Has the server do something: POST to `/-/PATH?QUERY`. */
export function send(path, query = {}) {
  return call(path, query, { method: 'POST' });
}

async function call(path, query, how) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const text = new URLSearchParams(given).toString();
  let response;
  try {
    response = await fetch(`/-/${path}${text ? `?${text}` : ''}`, { ...how, headers: { Accept: 'application/json' } });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(UNREACHED);
  }
  const answer = await response.text();
  let json = null;
  try {
    json = JSON.parse(answer);
  } catch {
    // Not JSON: a text of the server or of a proxy.
  }
  if (response.ok && json) return json;
  const error = json?.error ?? { what: answer.trim().slice(0, 500) || `The server answers ${response.status}.` };
  throw new ApiError({ ...error, findings: json?.findings ?? [] }, response.status);
}
